"""Webhooks as people configure them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sipgw.options import Ask, HookOptions, PlaceOptions, WebhookOptions
from sipgw.settings import Settings, SettingsError, embedded, load
from tests.fakes.certificates import Authority

REST = "backends: {e: {dialect: echo}}\nroutes: [{targets: [e], anyone: true}]\n"
SECRET = "a secret of some length"


def loaded(path: Path, webhook: str) -> Settings:
    (path / "x.yaml").write_text(f"webhooks:\n  crm:\n{webhook}\n{REST}")
    return load(path / "x.yaml", {})


def test_a_webhook_needs_an_address_and_a_secret(tmp_path: Path) -> None:
    settings = loaded(tmp_path, f"    url: https://crm.example/x\n    secret: {SECRET}")
    place = PlaceOptions("crm", "https://crm.example/x", (SECRET,))
    events = frozenset({"call.started", "call.answered", "call.ended", "alarm"})
    assert settings.webhook_options() == (WebhookOptions(place, events),)


def test_everything_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("the new secret, long enough\n")
    settings = loaded(
        tmp_path,
        "    url: http://10.1.2.3:8080/x\n    secret_file: new\n    old_secret: the old secret, long enough\n"
        "    events: [call.transcript]\n    headers: {X-Tenant: harbour}\n    timeout: 3\n    connections: 2\n"
        "    give_up_after: 60\n    most_pending: 5\n    allow_private: [10.1.0.0/16]",
    )
    [options] = settings.webhook_options()
    assert options == WebhookOptions(
        PlaceOptions(
            "crm", "http://10.1.2.3:8080/x", ("the new secret, long enough", "the old secret, long enough"),
            {"X-Tenant": "harbour"}, 3.0, 2, ("10.1.0.0/16",),
        ),
        frozenset({"call.transcript"}), 60.0, 5,
    )  # fmt: skip


def test_the_commented_example_is_one(tmp_path: Path) -> None:
    text = embedded("config/sipgw.yaml").read_text()
    [block] = re.findall(r"^# webhooks:\n(?:# .*\n)+", text, re.MULTILINE)
    Authority(tmp_path, "authorities")
    (tmp_path / "x.yaml").write_text(re.sub(r"^# ", "", block, flags=re.MULTILINE) + REST)
    environment = {"CRM_SECRET": SECRET, "CRM_OLD_SECRET": SECRET[::-1]}
    [options] = load(tmp_path / "x.yaml", environment).webhook_options()
    place = PlaceOptions(
        "crm", "https://crm.example.com/calls", (SECRET, SECRET[::-1]), {"X-Tenant": "harbour"},
        ca_file=str(tmp_path / "authorities.pem"),
    )  # fmt: skip
    assert options == WebhookOptions(place, options.events), "every value is the default"


@pytest.mark.parametrize("secret", ["new secret", "the old one", "harbour-key", "in-the-url"])
def test_secrets_are_not_printed(tmp_path: Path, secret: str) -> None:
    settings = loaded(
        tmp_path,
        "    url: https://crm.example/x?token=in-the-url\n    secret: the new secret of mine\n"
        "    old_secret: the old one of mine\n    headers: {X-Key: harbour-key}",
    )
    assert secret not in str(settings.printable())
    assert secret not in repr(settings.webhook_options())
    assert any(secret in known for known in settings.secrets())


def test_all_of_the_inside_can_be_allowed(tmp_path: Path) -> None:
    text = f"    url: https://crm.example/x\n    secret: {SECRET}\n    allow_private: %s"
    assert loaded(tmp_path, text % "true").webhook_options()[0].place.inside == ("0.0.0.0/0", "::/0")
    assert loaded(tmp_path, text % "false").webhook_options()[0].place.inside == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"    url: ftp://x/\n    secret: {SECRET}",
         "x.yaml:3: webhooks.crm.url: is not a web address; write https://host/path"),
        (f"    url: https://user:pw@x/\n    secret: {SECRET}",
         "x.yaml:3: webhooks.crm.url: is not a web address; write https://host/path"),
        ("    url: https://x/\n    secret: short",
         "x.yaml:4: webhooks.crm.secret: is shorter than 16 characters; "
         "make one: echo whsec_$(openssl rand -base64 24)"),
        ("    url: https://x/", "x.yaml:2: webhooks.crm.secret: is missing"),
        (f"    url: https://x/\n    secret: {SECRET}\n    headers: {{Content-Length: '1'}}",
         "x.yaml:5: webhooks.crm.headers: 'Content-Length' cannot be set here"),
        (f'    url: https://x/\n    secret: {SECRET}\n    headers: {{X-A: "a\\r\\nX-B: b"}}',
         "x.yaml:5: webhooks.crm.headers: the value of X-A holds what a header cannot"),
        (f"    url: https://x/\n    secret: {SECRET}\n    ca_file: gone.pem",
         "x.yaml:5: webhooks.crm.ca_file: gone.pem cannot be used: No such file or directory; "
         "name a file of certificates in PEM form"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).replace(f"{tmp_path}/", "") == said


def test_an_unknown_event_and_a_bad_network_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(
            tmp_path,
            f"    url: https://x/\n    secret: {SECRET}\n    events: [call.begun]\n    allow_private: [10.1.2.3/99]",
        )
    assert "webhooks.crm.events[0]" in str(caught.value)
    assert "'call.started'" in str(caught.value)
    assert "'10.1.2.3/99' is neither an address nor a range" in str(caught.value)


# --- hooks --------------------------------------------------------------------------------------------------------

HOOKS = f"hooks:\n  crm: {{url: https://crm.example/x, secret: {SECRET}%s}}\nbackends: {{e: {{dialect: echo}}}}\n"


def with_hook(path: Path, targets: str, more: str = "") -> Settings:
    (path / "x.yaml").write_text(HOOKS % more + f"routes: [{{targets: {targets}, anyone: true}}]\n")
    return load(path / "x.yaml", {})


def test_a_target_may_be_to_ask_a_hook(tmp_path: Path) -> None:
    options = with_hook(tmp_path, "[{ask: crm}, e]").call_options()
    assert options.routes[0].targets == (Ask("crm"), "e")
    place = PlaceOptions("crm", "https://crm.example/x", (SECRET,), timeout=1.0, connections=50)
    assert options.hooks == (HookOptions(place),)


def test_how_long_its_answers_count_can_be_said(tmp_path: Path) -> None:
    more = ", timeout: 0.5, connections: 3, cache_by: [trunk], cache_for: 60, stale_for: 0"
    [hook] = with_hook(tmp_path, "[{ask: crm}]", more).call_options().hooks
    assert (hook.place.timeout, hook.place.connections) == (0.5, 3)
    assert (hook.cache_by, hook.cache_for, hook.stale_for) == (("trunk",), 60.0, 0.0)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ("[{ask: cmr}]", "routes[0].targets[0].ask: there is no hook 'cmr'; did you mean crm?"),
        ("[{ask: https://x/}]",
         "routes[0].targets[0].ask: there is no hook 'https://x/'; give it a name with url and secret in hooks"),
        ("[{aks: crm}]", "routes[0].targets[0].aks: unknown key; did you mean ask?"),
    ],
)  # fmt: skip
def test_a_hook_that_there_is_not_is_told(tmp_path: Path, targets: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        with_hook(tmp_path, targets)


def test_the_commented_example_of_a_hook_is_one(tmp_path: Path) -> None:
    text = embedded("config/sipgw.yaml").read_text()
    [block] = re.findall(r"^# hooks:\n(?:# .*\n)+", text, re.MULTILINE)
    (tmp_path / "x.yaml").write_text(re.sub(r"^# ", "", block, flags=re.MULTILINE) + REST)
    [hook] = load(tmp_path / "x.yaml", {"CRM_SECRET": SECRET}).call_options().hooks
    assert hook == HookOptions(replace(hook.place, timeout=1.0, connections=50)), "every value is the default"
