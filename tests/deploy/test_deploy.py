"""Are the files one deploys with right? Each is judged by the tool its users have: hadolint, the Kubernetes schemas, systemd, an IAM linter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import parliament
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
BINARY = Path(os.environ.get("TED_CONTROLLER_BIN", ROOT / "target/debug/ted-controller"))


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
    files = [str(path) for folder in (DEPLOY, ROOT / "config") for path in sorted(folder.rglob("*.yaml"))]
    assert files
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
