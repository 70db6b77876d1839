"""A model's folder: whole or not there, equal to what was saved, and no place for a stranger's code."""

import json
import os

import numpy as np
import pytest

from tinygrad_rnn.course import saving

pytest.importorskip("safetensors")

ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3).T,  # not contiguous
    "b": np.array([np.pi], np.float32),
    "none": np.zeros((0, 3)),
    "number": np.array(7),
}
FACTS = {"step": 3, "generator": {"state": 2**127 + 1}, "vocabulary": 'a\n"é☃', "rate": 0.1, "nothing": None}


def test_what_comes_back_is_what_was_saved_bit_for_bit(tmp_path):
    folder = tmp_path / "deep" / "model"
    saving.save(folder, ARRAYS, FACTS)
    arrays, facts = saving.load(folder)
    assert facts == FACTS
    assert arrays.keys() == ARRAYS.keys()
    for name, a in ARRAYS.items():
        assert arrays[name].dtype == a.dtype
        assert arrays[name].shape == a.shape
        assert (arrays[name] == a).all()
    assert json.loads((folder / "config.json").read_text("utf-8")) == FACTS
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]


def test_a_save_that_fails_leaves_the_older_model(tmp_path, monkeypatch):
    saving.save(tmp_path, ARRAYS, FACTS)
    monkeypatch.setattr(saving.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        saving.save(tmp_path, {"a": np.ones(3)}, {"step": 4})
    monkeypatch.undo()
    arrays, facts = saving.load(tmp_path)
    assert facts["step"] == 3
    assert arrays["a"].shape == (3, 2)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:100], lambda b: b[:-5], lambda b: b"\x80\x04N." * 30])
def test_a_broken_file_is_named_in_one_line(tmp_path, damage):
    saving.save(tmp_path, ARRAYS, FACTS)
    path = tmp_path / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is broken or not a model") as raised:
        saving.load(tmp_path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_safetensors_file_of_another_program_is_no_model(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="not a model of this program"):
        saving.load(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_files_get_the_permissions_of_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        saving.save(tmp_path, ARRAYS, FACTS)
    finally:
        os.umask(before)
    for name in os.listdir(tmp_path):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640


def test_where_nothing_was_saved_there_is_no_model(tmp_path):
    assert not saving.has_model(tmp_path)
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FileNotFoundError, match="holds no model"):
            saving.load(folder)


def test_a_folder_is_tried_without_a_trace(tmp_path):
    saving.check_writable(tmp_path / "new" / "deep")
    saving.check_writable(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(NotADirectoryError, match="file is not a folder"):
            saving.check_writable(folder)


@pytest.mark.skipif(not os.path.isdir("/proc/1"), reason="needs Linux's /proc, where nobody can make a file")
def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(PermissionError, match=r"/proc/model cannot be written \(/proc: "):
        saving.check_writable("/proc/model")
