"""Run a command as a person with broken and unusual settings: `python tests/hostile_home.py CMD`.

Each file and each variable changes a tool's result, or stops the tool, if a test lets it through.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import registries

# Added to the caller's own settings about registries, which this machine may need
FILES = {
    ".gitconfig": """[core]
\tautocrlf = true
\thooksPath = ~/hooks
\texcludesFile = ~/ignored
[init]
\tdefaultBranch = odd
\ttemplateDir = ~/missing
[user]
\tuseConfigOnly = true
[commit]
\tgpgSign = true
[color]
\tui = always
[clone]
\tdefaultRemoteName = odd
[status]
\tbranch = true
[diff]
\tnoprefix = true
""",
    "hooks/pre-commit": "#!/bin/sh\nexit 1\n",
    "ignored": "*\n",
    ".terraformrc": "not HCL {\n",
    ".config/dvc/config": "[core\n",
    ".config/pip/pip.conf": (
        "[install]\nuser = true\nno-binary = :all:\n"
        "[list]\nformat = json\n[freeze]\nrequire-virtualenv = true\n"
    ),
    ".config/uv/uv.toml": 'required-version = "==0.0.1"\noffline = true\n',
    ".npmrc": "prefix=/missing\nglobal=true\ndry-run=true\n",
    ".cookiecutterrc": "default_context: [\n",
    ".config/matplotlib/matplotlibrc": "backend: missing\nsavefig.format: odd\n",
    ".config/ruff/ruff.toml": "line-length = 10\n",
    ".config/mypy/config": "[mypy]\npython_version = 2.7\n",
    ".config/wandb/settings": "[default]\nmode = odd\n",
    ".config/gcloud/active_config": "missing\n",
    ".aws/config": "[default]\nregion = odd\ncredential_process = false\noutput = odd\n",
    ".azure/config": "[core\n",
    ".docker/config.json": "{",
    ".netrc": "not a netrc\n",
    ".pdbrc": "import missing\n",
    "python/my_ml_project/__init__.py": "raise ImportError('the one of the hostile home')\n",
    "python/quartz_reader/__init__.py": "raise ImportError('the one of the hostile home')\n",
}
VARIABLES = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITLAB_CI": "true",
    # Terminals and languages
    "COLUMNS": "20",
    "FORCE_COLOR": "1",
    "LANGUAGE": "de",
    "LC_ALL": "C",
    "TERM": "dumb",
    # Git sets them for its hooks
    "GIT_DIR": "/missing/git",
    "GIT_INDEX_FILE": "/missing/index",
    # Python and its tools
    "MPLBACKEND": "missing",
    "MYPYPATH": "/missing",
    "PYTEST_ADDOPTS": "--numprocesses=0",
    "PYTHONPATH": "~/python",
    "PYTHONWARNINGS": "error::FutureWarning",
    "RUFF_OUTPUT_FORMAT": "json",
    "VIRTUAL_ENV": "/missing/venv",
    "UV_OFFLINE": "1",
    "UV_PROJECT_ENVIRONMENT": "/missing/venv",
    "PIP_REQUIRE_HASHES": "1",
    "COOKIECUTTER_CONFIG": "~/.cookiecutterrc",
    "NODE_OPTIONS": "--missing",
    # Terraform and the clouds
    "TF_CLI_ARGS": "-missing",
    "TF_CLI_CONFIG_FILE": "/missing/terraformrc",
    "TF_DATA_DIR": "/missing/terraform",
    "TF_LOG": "info",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_PROFILE": "missing",
    "AZURE_CONFIG_DIR": "/missing/azure",
    "CLOUDSDK_CONFIG": "/missing/gcloud",
    "GOOGLE_APPLICATION_CREDENTIALS": "/missing/key.json",
    "GOOGLE_CLOUD_PROJECT": "odd",
    # Training, tracking and serving
    "COMET_API_KEY": "odd",
    "HYDRA_FULL_ERROR": "1",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    "OMP_NUM_THREADS": "odd",
    "PL_GLOBAL_SEED": "odd",
    "SERVE_MODEL": "/missing/model",
    "SERVE_PORT": "odd",
    "SLURM_JOB_NAME": "odd",
    "SLURM_NTASKS": "4",
    "WANDB_API_KEY": "odd",
    "WANDB_MODE": "odd",
    "WORLD_SIZE": "2",
}


def move_in(folder: Path, caller: Mapping[str, str]) -> dict[str, str]:
    """Write the home folder and return the environment of the person who lives there.

    Args:
        folder: An empty folder.
        caller: The environment of this process.
    """
    old = Path(caller.get("HOME") or Path.home())
    registries.copy(caller, old, folder)
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = file.read_text("utf-8") if file.exists() else ""
        # In TOML, lines after a table's header belong to the table: put these before it
        file.write_text(text + kept if name.endswith(".toml") else kept + text, encoding="utf-8")
        file.chmod(0o700)
    caches = registries.caches(caller)
    odd = {name: value.replace("~", str(folder)) for name, value in VARIABLES.items()}
    return {**caller, **caches, **odd, "HOME": str(folder)}


def main() -> int:
    """Run the command that was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    command = parser.parse_args().command
    with tempfile.TemporaryDirectory(prefix="mlbake-hostile-") as folder:
        environment = move_in(Path(folder), os.environ)
        return subprocess.run(command, env=environment, umask=0o077, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
