"""Are the files one deploys with right? Each is judged by the tool its users have: hadolint, the Kubernetes schemas, systemd, an IAM linter,
promtool, GitHub's schema of workflows, pre-commit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parliament
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
BINARY = Path(os.environ.get("TED_CONTROLLER_BIN", ROOT / "target/debug/ted-controller"))
PROMTOOL = os.environ.get("TED_CONTROLLER_PROMTOOL", "promtool")
ALERTS = DEPLOY / "prometheus/alerts.yaml"


def tool(name: str) -> str:
    """A program of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, **options)


def documents(*files: Path) -> list[dict[str, Any]]:
    return [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]


def deployment() -> dict[str, Any]:
    return next(document for document in documents(*MANIFESTS) if document.get("kind") == "Deployment")


def test_the_dockerfile_is_clean() -> None:
    done = run(tool("hadolint"), "--failure-threshold", "info", str(ROOT / "Dockerfile"))
    assert done.returncode == 0, done.stdout


def test_everything_that_the_dockerfile_copies_is_there_and_reaches_the_build() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), f"{line}: {source} does not exist"
                assert source in kept, f"{line}: .dockerignore leaves {source} out"


def test_yaml_files_are_well_formed() -> None:
    files = [str(path) for folder in (DEPLOY, ROOT / "config") for path in sorted(folder.rglob("*.y*ml"))]
    files.append(str(ROOT / ".pre-commit-hooks.yaml"))
    done = run(tool("yamllint"), "--strict", "--config-file", str(Path(__file__).with_name("yamllint.yaml")), *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("manifest", [path for path in MANIFESTS if path.name != "kustomization.yaml"], ids=lambda path: path.name)
def test_manifests_fit_the_schema_of_kubernetes(manifest: Path) -> None:
    if manifest.name == "controller.yaml":
        pytest.skip("the controller's own configuration")
    done = run(tool("kubernetes-validate"), "--strict", str(manifest))
    assert done.returncode == 0 and "passed" in done.stdout + done.stderr, done.stdout + done.stderr


def test_the_kustomization_names_every_manifest_and_only_files_that_are_there() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
    named = set(kustomization["resources"])
    for generator in kustomization["configMapGenerator"]:
        named |= set(generator["files"])
    for name in named:
        assert (DEPLOY / "kubernetes" / name).is_file(), name
    assert named >= {path.name for path in MANIFESTS if path.name != "kustomization.yaml"}


def test_the_pod_is_one_restricted_and_only_looks() -> None:
    spec = deployment()["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}
    assert "--mode=observe" in container["args"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert not pod["automountServiceAccountToken"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"] and security["capabilities"]["drop"] == ["ALL"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
    for mount in container["volumeMounts"]:
        assert "subPath" not in mount, "an update of the ConfigMap would never arrive"


def test_the_flags_of_the_pod_and_of_the_unit_are_those_of_the_binary() -> None:
    known = run(str(BINARY), "run", "--help").stdout
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    unit = (DEPLOY / "systemd/ted-controller.service").read_text()
    started = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    flags = [argument.split("=")[0] for argument in container["args"] if argument.startswith("--")]
    flags += [word for word in started.split() if word.startswith("--")]
    assert len(flags) >= 7
    for flag in flags:
        assert f"{flag} " in known, f"{flag} is not a flag of `run`"


def test_the_shipped_documents_are_valid() -> None:
    # Each by itself: both are for the installation of the examples.
    for folder in (DEPLOY / "kubernetes/teds", ROOT / "config/teds"):
        done = run(str(BINARY), "validate", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "flags"), [("observe", ["--observe"]), ("apply", []), ("no-launch-role", ["--no-launch-role"])])
def test_the_committed_policies_are_those_that_the_binary_prints(name: str, flags: list[str]) -> None:
    printed = run(str(BINARY), "iam-policy", *flags)
    assert printed.returncode == 0, printed.stderr
    file = DEPLOY / f"iam/{name}.json"
    assert file.read_text() == printed.stdout, f"write it again: ted-controller iam-policy {' '.join(flags)} > {file.relative_to(ROOT)}"


# What the linter is wrong about, or what is meant. Everything else it finds fails.
MEANT = {
    ("RESOURCE_STAR", ""): "account-wide listings; the single resources' names are not known beforehand",
}


@pytest.mark.parametrize("file", sorted((DEPLOY / "iam").glob("*.json")), ids=lambda path: path.name)
def test_policies_are_what_iam_understands(file: Path) -> None:
    text = file.read_text()
    assert len("".join(text.split())) <= 6144, "a managed policy has at most 6,144 characters without blanks"
    unexpected = []
    for finding in parliament.analyze_policy_string(text).findings:
        meant = any(finding.issue == issue and what in str(finding.detail) for issue, what in MEANT)
        if not meant:
            unexpected.append(f"{finding.issue}: {finding.detail} {finding.location}")
    assert not unexpected, "\n".join(unexpected)
    sids = [statement["Sid"] for statement in json.loads(text)["Statement"]]
    assert len(sids) == len(set(sids))


def test_the_observe_policy_writes_nothing() -> None:
    policy = json.loads((DEPLOY / "iam/observe.json").read_text())
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert actions and all(action.split(":")[1].startswith(("Describe", "Get", "List", "Search", "Simulate")) for action in actions), actions


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_understood_and_hardened(tmp_path: Path) -> None:
    # Its program need not be installed here.
    unit = tmp_path / "ted-controller.service"
    unit.write_text((DEPLOY / "systemd/ted-controller.service").read_text().replace("/usr/local/bin/ted-controller", "/bin/true"))
    verified = run("systemd-analyze", "verify", str(unit))
    assert verified.returncode == 0 and not verified.stderr.strip(), verified.stderr
    scored = run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))
    assert scored.returncode == 0, scored.stdout


def test_alerts_fire_when_they_should_and_not_before() -> None:
    checked = run(PROMTOOL, "check", "rules", "--lint-fatal", str(ALERTS))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = run(PROMTOOL, "test", "rules", str(Path(__file__).with_name("alerts_test.yaml")))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_alerts_ask_for_metrics_that_there_are_and_lead_to_a_text_that_there_is() -> None:
    known = (ROOT / "docs/reference/metrics.md").read_text()
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    for rule in group["rules"]:
        for metric in re.findall(r"ted_controller_\w+", rule["expr"]):
            assert f"`{metric}`" in known, metric
        assert rule["alert"] in headings, rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


WORKFLOW = DEPLOY / "ci/github-plan.yml"


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_the_example_workflow_fits_the_schema_of_github(schema: str) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", schema, str(WORKFLOW))
    assert done.returncode == 0, done.stdout


def test_the_example_workflow_gives_nobody_more_rights_than_it_needs() -> None:
    done = run(tool("zizmor"), "--offline", "--no-progress", "--persona=pedantic", str(WORKFLOW))
    assert done.returncode == 0, done.stdout + done.stderr


def script(name: str) -> str:
    """What a step of the example workflow runs."""
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    return next(step["run"] for step in job["steps"] if step["name"] == name)


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The address of a simulated AWS."""
    command = [str(BINARY), "sim", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        found = next((found for line in process.stdout if (found := re.search(r"http://[\w.:]+", line))), None)
        assert found, "the simulator did not start"
        yield found.group(0)
        process.terminate()


def step(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a step as GitHub does, in the folder that was checked out."""
    environment = {
        "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "DOCUMENTS": "teds",
        **variables,
    }
    return run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(name), cwd=folder, env=environment)


SAME = "engine: redis\nversion: '7.1'\nregion: us-east-2\n"
OTHER = "engine: valkey\nversion: '8.0'\ntedVersion: v1.52.1\nregion: us-east-2\n"


@pytest.mark.parametrize(
    ("document", "endpoint", "code", "says"),
    [
        (SAME, True, "0", "Nothing would change."),
        (OTHER, True, "2", "### `einstein`"),
        (SAME, False, "1", "Not everything could be looked at"),
    ],
    ids=["in-sync", "differs", "nobody-answers"],
)
def test_the_steps_of_the_example_workflow_do_what_they_say(
    tmp_path: Path, aws: str, document: str, endpoint: bool, code: str, says: str
) -> None:
    (tmp_path / "teds").mkdir()
    (tmp_path / "teds/einstein.yaml").write_text(document)
    validated = step("Validate", tmp_path)
    assert validated.returncode == 0, validated.stderr
    planned = step(
        "Plan",
        tmp_path,
        AWS_ENDPOINT_URL=aws if endpoint else "http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="111122223333",
        AWS_SECRET_ACCESS_KEY="simulated",
        AWS_REGION="us-east-2",
    )
    assert planned.returncode == 0, planned.stderr
    assert (tmp_path / "output").read_text() == f"code={code}\n", planned.stderr
    comment = (tmp_path / "comment.md").read_text()
    assert comment.startswith("## Plan for the desired documents") and says in comment, comment
    assert (tmp_path / "summary").read_text() == comment


def test_a_wrong_document_fails_the_validation(tmp_path: Path) -> None:
    (tmp_path / "teds").mkdir()
    (tmp_path / "teds/einstein.yaml").write_text("engine: valky\nversion: '8.0'\n")
    validated = step("Validate", tmp_path)
    assert validated.returncode == 1 and "teds/einstein.yaml:1:9" in validated.stderr, validated.stderr


def test_the_hook_stops_a_commit_of_wrong_documents(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    run(*git, "init", "-q", cwd=tmp_path)
    environment = {
        **os.environ,
        "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    hook = [tool("pre-commit"), "try-repo", str(ROOT), "ted-controller-validate", "--all-files", "--verbose"]
    for name, text, code, says in [
        ("one", SAME, 0, "Passed"),
        # Right by itself; the other file is not among the changed ones.
        ("two", f"name: one\n{SAME}", 1, "one"),
        ("two", "engine: valky\nversion: '8.0'\n", 1, "two.yaml:1:9"),
    ]:
        (tmp_path / f"{name}.yaml").write_text(text)
        run(*git, "add", f"{name}.yaml", cwd=tmp_path)
        done = run(*hook, cwd=tmp_path, env=environment)
        assert done.returncode == code and says in done.stdout, done.stdout + done.stderr
