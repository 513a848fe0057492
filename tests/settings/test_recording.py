"""The keys of recordings and prompts, and what people get wrong with them."""

import os
import re
from pathlib import Path

import pytest

from sipgw.app.prompts import load_prompts
from sipgw.options import RecordingOptions
from sipgw.settings import Settings, SettingsError, embedded, load
from sipgw.settings.recording import Recording

ROUTE = "backends: {demo: {dialect: demo}}\nroutes:\n  - {targets: [demo], anyone: true%s}\n"


def loaded(folder: Path, text: str) -> Settings:
    (folder / "x.yaml").write_text(text)
    return load(folder / "x.yaml", {"SIPGW_STATE": str(folder / "state")})


def refused(folder: Path, text: str) -> list[str]:
    """What is said of it, without the folder."""
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_every_key_stands_in_the_default_file_and_is_described() -> None:
    text = embedded("config/sipgw.yaml").read_text()
    for name, field in Recording.model_fields.items():
        assert re.search(rf"^  {name}:", text, re.MULTILINE), name
        assert field.description, name


def test_recordings_lie_in_the_state_folder_unless_another_is_named(tmp_path: Path) -> None:
    options = loaded(tmp_path, ROUTE % "").recording_options()
    assert options == RecordingOptions(f"{tmp_path}/state/recordings", "pcm16", 1 << 30)
    text = "recording: {folder: /srv/sound, format: pcmu, min_free_mb: 5}\n"
    assert loaded(tmp_path, text + ROUTE % "").recording_options() == RecordingOptions("/srv/sound", "pcmu", 5 << 20)


def test_a_route_says_what_is_recorded(tmp_path: Path) -> None:
    text = ROUTE % ", record: always, consent: greeting, consent_recorded: true, backend_pauses: false"
    (route,) = loaded(tmp_path, text).call_options().routes
    assert (route.record, route.consent, route.consent_recorded, route.backend_pauses) == (
        "always", "greeting", True, False,
    )  # fmt: skip


def test_prompts_of_ones_own_can_be_named_wherever_a_prompt_can(tmp_path: Path) -> None:
    (tmp_path / "mine.wav").write_bytes(embedded("config/prompts/key-1.wav").read_bytes())
    text = "prompts: {mine: mine.wav}\ncalls: {hold_music: mine}\n"
    more = ", silence_prompt: mine, early_media: true, early_prompt: mine"
    assert loaded(tmp_path, text + ROUTE % more).routes[0].early_prompt == "mine"


def test_prompts_of_ones_own_stand_beside_the_built_in_ones_or_in_their_place(tmp_path: Path) -> None:
    sound = embedded("config/prompts/key-1.wav").read_bytes()
    (tmp_path / "mine.wav").write_bytes(sound)
    settings = loaded(tmp_path, "prompts: {consent: mine.wav, apology: mine.wav}\n" + ROUTE % "")
    assert settings.prompts == {"consent": f"{tmp_path}/mine.wav", "apology": f"{tmp_path}/mine.wav"}
    prompts = load_prompts(settings.prompts)
    assert prompts["consent"] == prompts["apology"] == prompts["key-1"]
    assert set(prompts) == {*load_prompts(), "consent"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recording: {name: '{nobody}'}\n" + ROUTE % "", "x.yaml:1: recording.name: knows no {nobody}"),
        ("recording: {name: /tmp/x}\n" + ROUTE % "", "x.yaml:1: recording.name: is no relative path"),
        ("recording: {format: mp3}\n" + ROUTE % "", "x.yaml:1: recording.format: should be 'pcm16' or 'pcmu'"),
        ("prompts: {a: no.wav}\n" + ROUTE % "", "x.yaml:1: prompts.a: no.wav cannot be read: No such file"),
        ("prompts: {a: x.yaml}\n" + ROUTE % "", "x.yaml:1: prompts.a: x.yaml cannot be played: no RIFF WAVE file"),
        ("prompts: {'a b': x.wav}\n" + ROUTE % "", "x.yaml:1: prompts.a b"),
        (ROUTE % ", record: always, consent: greting", "there is no prompt 'greting'; did you mean greeting?"),
        (ROUTE % ", consent: greeting", "routes[0].consent: calls of this route are never recorded"),
        (ROUTE % ", record: sometimes", "routes[0].record: should be 'always', 'never' or 'on_demand'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    problems = refused(tmp_path, text)
    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told_of_before_the_first_call(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    text = f"recording: {{folder: {tmp_path}/shut/sound}}\n"
    assert "cannot be written" in refused(tmp_path, text + ROUTE % ", record: always")[0]
    loaded(tmp_path, text + ROUTE % "")  # nobody wants to write there


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    text = f"recording: {{folder: {tmp_path}/x.yaml}}\n" + ROUTE % ", record: on_demand"
    assert refused(tmp_path, text) == [
        "x.yaml:1: recording.folder: x.yaml cannot be written; let the gateway's user write there"
    ]
