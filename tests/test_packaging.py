"""What a person gets who clones or installs: lock files, wheel, make, layers, start-up, decisions.

Belongs here: facts about the tree's files and the commands around the product. Does not belong here: what the product
does (tests/e2e), nor the shape of its code (tests/test_house_rules.py).
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-gcs.lock", "requirements-test.lock")


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


# --- lock files -------------------------------------------------------------------------------------------------------


def entries(lock: str) -> list[str]:
    """The lock's requirements, each with its hashes on one line."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(lock: str) -> dict[str, list[Requirement]]:
    """The lock's releases by canonical name; more than one where platforms differ."""
    found: dict[str, list[Requirement]] = {}
    for entry in entries(lock):
        requirement = Requirement(entry.split("--hash")[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_each_release_is_exact_and_hashed(lock: str) -> None:
    assert len(entries(lock)) > 50
    for entry in entries(lock):
        assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^ *]+ ", entry), entry[:80]
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_host_or_path(lock: str) -> None:
    text = (ROOT / lock).read_text()
    options = set(re.findall(r"(?<!\S)-{1,2}[a-z][a-z-]*", text))
    assert options == {"--hash"}
    assert "://" not in text
    assert not re.search(r"(?<!\S)\.{0,2}/|\bfile:|@ ", text)


def test_each_lock_is_the_one_before_and_more() -> None:
    runtime, gcs, test = (set(entries(lock)) for lock in LOCKS)
    assert runtime < gcs < test


def test_locks_hold_what_pyproject_asks_for() -> None:
    project = PYPROJECT["project"]
    runtime = [*project["dependencies"], *PYPROJECT["dependency-groups"]["build"]]
    extras = project["optional-dependencies"]
    asked = dict(zip(LOCKS, (runtime, [*runtime, *extras["gcs"]], [*runtime, *extras["test"]]), strict=True))
    for lock, requirements in asked.items():
        locked = pins(lock)
        for wanted in map(Requirement, requirements):
            releases = locked.get(canonicalize_name(wanted.name), [])
            assert releases, f"{wanted.name} is not in {lock}: run `make lock`"
            for release in releases:
                (exact,) = release.specifier
                assert wanted.specifier.contains(exact.version), f"{release} in {lock}, {wanted} asked for"


# --- dependencies -----------------------------------------------------------------------------------------------------


def test_each_dependency_says_why_it_is_there() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    project = PYPROJECT["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    assert len(declared) > 15
    for dependency in declared:
        at = lines.index(f'  "{dependency}",')
        above = lines[at - 1].strip()
        # Stubs share one reason: they stand in one run of lines below it.
        while above.startswith('"types-'):
            at -= 1
            above = lines[at - 1].strip()
        assert re.match(r"# \S.{15,}", above), f"no reason above {dependency}"


def test_what_the_package_imports_is_declared() -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in PYPROJECT["project"]["dependencies"]}
    distributions = importlib.metadata.packages_distributions()
    undeclared = {}
    for source in (ROOT / "leadscore_v6").rglob("*.py"):
        for name in imported(source) - set(sys.stdlib_module_names) - {"leadscore_v6"}:
            # A namespace such as google belongs to many distributions: one of them must be ours.
            if not declared & {canonicalize_name(owner) for owner in distributions.get(name, [])}:
                undeclared[name] = source.name
    assert undeclared == {}


def imported(source: Path) -> set[str]:
    """Top-level packages that a file imports, at its top or inside."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['leadscore', '--help']\n"
        "from leadscore_v6.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    result = run(sys.executable, "-c", script)
    assert result.returncode == 0, result.stderr
    text, loaded = result.stdout.rsplit("LOADED", 1)
    assert {"demo", "run", "status"} <= set(re.findall(r"\w+", text))
    heavy = {
        "dagster",
        "duckdb",
        "google",
        "matplotlib",
        "numpy",
        "pandas",
        "shap",
        "sklearn",
        "sqlglot",
        "statsmodels",
    }
    assert heavy & set(loaded.split()) == set()


# --- layers -----------------------------------------------------------------------------------------------------------

SABOTAGE = {
    "leadscore_v6.contracts.roles": "leadscore_v6.warehouse",
    "leadscore_v6.warehouse.sql": "leadscore_v6.gates",
    "leadscore_v6.paths": "leadscore_v6.settings",
    "leadscore_v6.gates.judge": "dagster",
    "leadscore_v6.reports.markdown": "duckdb",
    "leadscore_v6.assets.leads": "leadscore_v6.sample_world",
    "leadscore_v6.sample_world.spec": "leadscore_v6.gates",
}


def test_imports_against_the_layers_are_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "leadscore_v6", tmp_path / "leadscore_v6")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, wrong in SABOTAGE.items():
        with (tmp_path / (module.replace(".", "/") + ".py")).open("a") as source:
            source.write(f"\nimport {wrong}\n")
    (tmp_path / "leadscore_v6" / "utils.py").write_text("")

    result = run(
        Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache", cwd=tmp_path, env={"PYTHONPATH": "."}
    )

    assert result.returncode != 0
    broken = re.findall(r"- +(leadscore_v6[\w.]*) -> ([\w.]+)", result.stdout)
    assert set(SABOTAGE.items()) <= set(broken)
    assert "- leadscore_v6.utils\n" in result.stdout


# --- what is installed ------------------------------------------------------------------------------------------------


def test_an_installed_wheel_brings_sql_and_configuration(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path / "dist")
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("leadscore_v6-*.whl")
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")

    # -P: not the checkout, in which this runs.
    script = "from leadscore_v6 import paths; print(paths.sql_root(), paths.config_root(), sep='\\n')"
    found = run(sys.executable, "-P", "-c", script, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")})

    sql, config = map(Path, found.stdout.split())
    assert sql.is_relative_to(tmp_path)
    assert names(sql) == names(ROOT / "sql")
    assert names(config) == names(ROOT / "config")
    templates = Path("leadscore_v6") / "dashboard" / "templates"
    assert names(tmp_path / "site" / templates) == names(ROOT / templates)
    assert (tmp_path / "site/leadscore_v6/_data/dagster.yaml").read_text() == (ROOT / "dagster.yaml").read_text()


def names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_dagster_finds_the_definitions_by_either_file() -> None:
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert location["python_module"]["module_name"] == PYPROJECT["tool"]["dagster"]["module_name"]
    assert (ROOT / "leadscore_v6" / "definitions.py").is_file()


def test_the_instance_template_is_quiet_local_and_runs_one_at_a_time(tmp_path: Path) -> None:
    from dagster import DagsterInstance

    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        assert instance.run_monitoring_enabled
        assert instance.get_runs() == []
    assert list(tmp_path.rglob("runs.db")), "run storage is SQLite inside the instance's own folder"


# --- make and CI ------------------------------------------------------------------------------------------------------


def test_make_help_tells_each_target() -> None:
    result = run("make", "help")
    told = set(re.findall(r"^  (\w+) +\S", result.stdout, re.MULTILINE))
    assert {"demo", "test", "ui", "lint", "bench", "prove", "lock", "clean", "help"} == told


def test_make_says_what_is_missing_without_a_suitable_python(tmp_path: Path) -> None:
    result = run("make", "demo", "PYTHON=no-such-python", f"VENV={tmp_path / 'venv'}")
    assert result.returncode != 0
    assert "No Python >= 3.11" in result.stderr
    assert "no-such-python" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "exec make test"


# --- decisions --------------------------------------------------------------------------------------------------------

BUILT = {*range(1, 61)}


def test_each_ruling_built_has_its_record_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    index = re.findall(r"^\| \[R(\d+)\]\((.+?)\) \| .+ \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    assert {int(ruling) for ruling, _, _ in index} == BUILT
    assert {name for _, name, _ in index} == {file.name for file in folder.glob("0*.md")}
    for ruling, name, title in index:
        text = (folder / name).read_text()
        assert text.startswith(f"# R{ruling}: {title}\n")
        for part in ("Status: ", "**Context.** ", "**Decision.** ", "**Consequences.** "):
            assert f"\n{part}" in text, (name, part)
