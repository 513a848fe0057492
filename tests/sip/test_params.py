"""Parameters: in order, as spelled, and found without regard to case."""

from sipgw.sip.params import Params


def test_parameters_keep_order_spelling_and_quotes() -> None:
    params = Params.parse(' ; A=1;flag ; q="x;y\\"z" ;e=')
    assert list(params) == [("A", "1"), ("flag", None), ("q", '"x;y\\"z"'), ("e", "")]
    assert (params.get("a"), params.get("FLAG"), params.get("q"), params.get("e")) == ("1", "", 'x;y"z', "")
    assert params.get("none") is None
    assert str(params) == ';A=1;flag;q="x;y\\"z";e='
    assert Params.parse(str(params)) == params
    assert ("flag" in params, "none" in params, bool(params), bool(Params())) == (True, False, True, False)


def test_parameters_are_changed_in_place_and_removed() -> None:
    params = Params.parse(";a=1;b;A=2")
    assert str(params.with_("a", "3")) == ";a=3;b"
    assert str(params.with_("c", None)) == ";a=1;b;A=2;c"
    assert str(params.without("A")) == ";b"
