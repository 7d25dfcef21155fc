"""Refuse answers that would bake a broken project, before anything is written.

Every problem is one line: which answer, why, and an example of a good one.
"""

import difflib
import fnmatch
import json
import keyword
import os
import re
import shutil
import sys
import unicodedata
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# The distributions, modules and commands that projects install, each of which would hide the
# project or be hidden by it. `python tests/taken_names.py` adds to them; a test names missing ones.
DEPENDENCIES = """
a2wsgi absl absl_py adlfs aiobotocore aiohappyeyeballs aiohttp aiohttp_asgi_connector aiohttp_retry
aioitertools aiosignal aiosqlite alembic amqp annotated_doc annotated_types antlr4
antlr4_python3_runtime anyio appdirs appnope argcomplete argon2 argon2_cffi argon2_cffi_bindings
arrow asgiref ast_serialize asttokens async_lru asyncssh atpublic attr attrs awslambdaric azure
azure_core azure_identity azure_storage_blob babel beautifulsoup4 bentoml bentoml_cli bidict
billiard bleach blinker botocore box brotli bs4 cachetools cattr cattrs celery certifi cffi cfgv
charset_normalizer circus circusctl circusd click click_didyoumean click_option_group click_plugins
click_repl cloudevents cloudpickle colorama comet comet_ml comm configargparse configobj contourpy
coreweave_evaluations coverage coverage3 cryptography cuda cuda_bindings cuda_pathfinder
cuda_toolkit cwevals cycler databricks databricks_sdk datasets dateutil debugpy decorator deepmerge
defusedxml dependency_groups deprecation dictdiffer dill diskcache distlib distro dmypy docker
dotenv dpath dulwich dvc dvc_azure dvc_data dvc_gs dvc_http dvc_objects dvc_render dvc_s3
dvc_studio_client dvc_task emoji engineio entrypoints everett example executing f2py fastapi
fastapi_swagger fastjsonschema ff filelock flask flask_cors flask_login flatbuffers flatten_dict
flufl flufl_lock fonttools fqdn frozenlist fsspec functions_framework functions_framework_python
functorch funcy gcsfs get_gprof get_objgraph gevent geventhttpclient git gitdb gitpython google
google_api_core google_auth google_auth_oauthlib google_cloud_core google_cloud_storage
google_cloud_storage_control google_crc32c google_resumable_media googleapis_common_protos grandalf
graphene graphql graphql_core graphql_relay greenlet grpc grpc_google_iam_v1 grpc_status grpcio
grpcio_status gto gunicorn gunicornc h11 harfile hatchling hf hf_xet httpcore httpcore2 httptools
httpx httpx2 httpx_ws huey huey_consumer huggingface_hub hydra hydra_core hydra_plugins hypothesis
hypothesis_graphql identify idna importlib_metadata iniconfig ipykernel ipykernel_launcher ipython
ipython3 ipython_pygments_lexers isodate isoduration isympy iterative_telemetry itsdangerous jedi
jinja2 jlpm jmespath joblib json5 jsonpointer jsonschema jsonschema_rs jsonschema_specifications
jupyter jupyter_builder jupyter_client jupyter_core jupyter_events jupyter_lsp jupyter_server
jupyter_server_terminals jupyterlab jupyterlab_pygments jupyterlab_server jwt kantoku kiwisolver
knack kombu lark librt lightning lightning_fabric lightning_utilities locust mako mangum markdown
markdown_it markdown_it_py markdown_py markupsafe matplotlib matplotlib_inline mdurl mistune
ml_dtypes mlflow mlflow_skinny mlflow_tracing mpl_toolkits mpmath msal msal_extensions msgpack
multidict multipart multiprocess mypy mypy_extensions mypyc narwhals nbclient nbconvert nbformat
nbstripout nest_asyncio2 networkx nodeenv normalizer notebook_shim numpy nvidia nvidia_cublas
nvidia_cuda_cccl nvidia_cuda_cupti nvidia_cuda_nvrtc nvidia_cuda_runtime nvidia_cudnn_cu13
nvidia_cufft nvidia_cufile nvidia_cusolver nvidia_cusparse nvidia_cusparselt_cu13 nvidia_ml_py
nvidia_nccl_cu13 nvidia_nvjitlink nvidia_nvshmem_cu13 nvidia_nvtx oauthlib omegaconf onnx onnx_ir
onnxruntime onnxruntime_test onnxscript opentelemetry opentelemetry_api
opentelemetry_instrumentation opentelemetry_proto opentelemetry_sdk opentelemetry_util_http orjson
overrides packaging packaging_legacy_version pandas pandocfilters parso pathspec pexpect pil pillow
pip pip_requirements_parser platformdirs pluggy pre_commit prettytable prometheus_client
prompt_toolkit propcache proto proto_plus protobuf psutil ptyprocess public pure_eval py pyarrow
pyasn1 pyasn1_modules pybabel pycparser pydantic pydantic_core pydantic_settings pydevd_plugins
pydot pyftmerge pyftsubset pygit2 pygmentize pygments pygrun pygtrie pyjson5 pyjwt pylab
pymdown_extensions pymdownx pynvml pyparsing pyrate_limiter pysemver pytest pytest_cov pytest_locust
python_box python_dateutil python_discovery python_dotenv python_engineio python_json_logger
python_multipart python_socketio pythoncom pythonjsonlogger pythonwin pytorch_lightning pywin32
pywinpty pywintypes pyyaml pyzmq referencing regex requests requests_oauthlib requests_toolbelt
rfc3339_validator rfc3986_validator rfc3987_syntax rich rich_toolkit rpds rpds_py ruamel ruamel_yaml
ruff runtime_client s3fs safetensors schema schemathesis scikit_learn scipy scmrepo semantic_version
semver send2trash sentry_sdk setuptools shellingham shortuuid shtab simple_di simple_websocket
simplejson six sklearn skops smmap snapshot_restore_py sniffio socketio sortedcontainers soupsieve
sqlalchemy sqlformat sqlparse sqltrie st stack_data starlette stubgen stubtest sympy tabulate
tensorboard tensorboard_data_server terminado threadpoolctl tinycss2 tokenizers tomli tomli_w
tomlkit torch torchfrtrace torchgen torchmetrics torchrun torchvision tornado tqdm traitlets
transformers triton trove_classifiers truststore ttx typer typing_extensions typing_inspection
tzdata tzlocal undill uri_template urllib3 uv uvicorn uvicorn_worker uvloop validate vine virtualenv
voluptuous waitress wandb watchdog watchfiles watchmedo wb wcwidth webcolors webencodings websocket
websocket_client werkzeug wheel win32 win32api win32com winpty wrapt wsdump wsproto wurlitzer xxhash
yaml yarl zc zc_lockfile zensical zipp zmq zope zope_event zope_interface
"""
# Commands, a package of Python's own, and names that Windows keeps for devices
TAKEN = {"activate", "bash", "conda", "main", "mamba", "python", "python3", "pythonw", "sh", "test"}
TAKEN.update({"aux", "con", "nul", "prn"})
TAKEN.update(f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10))
# What projects have at their top: folders, and files
TOP_FOLDERS = """
.dvc .github .gitlab .vscode configs data dockerfiles docs infra notebooks src tests
"""
TOP_FILES = """
.amlignore .dockerignore .dvcignore .editorconfig .env.example .gcloudignore .gitattributes
.gitignore .gitlab-ci.yml .pre-commit-config.yaml LICENSE README.md bentofile.yaml compose.yaml
dvc.yaml environment.yml main.py pyproject.toml zensical.toml
"""
# How the other hook learns what was here before: this folder, which it deletes, and a license that
# was not chosen, empty; with `--skip-if-file-exists` the engine leaves it so
BEFORE = Path(".mlbake-before")
PROBE = Path("LICENSE@bsd" if ANSWERS["license"] == "MIT" else "LICENSE@mit")
FOLDERS = {"configs", "data", "docs", "models", "notebooks", "outputs", "reports", "src", "tests"}


def slug_problem(slug: str) -> "str | None":  # noqa: PLR0911
    """Say why `slug` can't name a folder, a package and a command, if it can't."""
    if not slug:
        return "is empty"
    if len(slug) > 32:
        return "is longer than 32 characters"
    if slug[0].isdigit():
        return "starts with a digit"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        return "may hold only lower-case ASCII letters, digits and _, and starts with a letter"
    if slug.endswith("_"):
        return "ends with _"
    if slug in TAKEN:
        return "is a command, or a name that Python or Windows keeps for itself"
    if keyword.iskeyword(slug) or slug in keyword.softkwlist:
        return "is a Python keyword"
    if slug in sys.stdlib_module_names:
        return "is a module of Python's standard library"
    # pip takes a__b and a_b for one name
    if {slug, re.sub("_+", "_", slug)} & set(DEPENDENCIES.split()):
        return "is the name of a package or a command that projects install"
    if slug in FOLDERS:
        return "is the name of a folder in the project"
    return None


def text_problem(text: str) -> "str | None":
    """Say why `text` can't stand in TOML, YAML and Markdown, if it can't."""
    if not text.strip():
        return "is empty"
    if text != text.strip():
        return "starts or ends with a space"
    for character in text:
        joiner = character in "\u200c\u200d"  # they hold emoji and some scripts together
        hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not joiner
        if hidden or ord(character) & 0xFFFE == 0xFFFE:
            return f"holds the control or invisible character U+{ord(character):04X}"
    return None


def typed_answers() -> "dict[str, str]":
    """Return the answers on the command line of Cookiecutter, where Linux shows it."""
    try:
        command = Path(f"/proc/{os.getppid()}/cmdline").read_text(encoding="utf-8").split("\0")
    except (OSError, UnicodeDecodeError):
        return {}
    program = " ".join(Path(word).name for word in command[:3])
    answers = [word.partition("=") for word in command if re.match(r"\w+=", word)]
    return {name: text for name, _, text in answers} if "cookiecutter" in program else {}


def problems() -> "list[str]":
    """List what is wrong with the answers, one line each."""
    found = []

    def refuse(name: str, answer: str, reason: str, example: str) -> None:
        found.append(f"{name} {answer!a} {reason}; a good one: {example}")

    slug = ANSWERS["__asked_slug"]
    if reason := slug_problem(slug):
        refuse("project_slug", slug, reason, "digit_reader")

    examples = {
        "project_name": "Digit Reader",
        "description": "Reads handwritten digits.",
        "author_name": "Ada Lovelace",
    }
    for name, example in examples.items():
        if reason := text_problem(ANSWERS[name]):
            refuse(name, ANSWERS[name], reason, example)

    email = ANSWERS["author_email"]
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", email):
        refuse("author_email", email, "is no e-mail address", "ada@example.com")

    owner = ANSWERS["repo_owner"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", owner):
        refuse("repo_owner", owner, "is no user, organisation or group", "ada-lab")

    # The engine ignores an answer to no question
    for name, answer in typed_answers().items():
        if name not in ANSWERS:
            asked = [question for question in ANSWERS if not question.startswith("_")]
            close = difflib.get_close_matches(name, asked)
            example = f"{close[0]}={answer}" if close else "tracker=none"
            refuse(name, answer, "answers no question", ascii(example)[1:-1])
    return found


def is_written_to(path: Path) -> bool:
    """Say whether a bake could write to `path`: to no file of a tool (`.dvc/cache`), to no data."""
    top, *below = path.parts
    hidden = any(part.startswith(".") and part != ".gitignore" for part in below)
    tools_own = hidden or (top == ".dvc" and below[:1] in (["cache"], ["tmp"]))
    tools_own |= top == "data" and below not in ([], ["raw"], ["raw", "README.md"])
    # An `@` and a word of a marked name, as in `.env@secrets.example`
    return re.sub("@[a-z-]+", "", top) in (TOP_FOLDERS + TOP_FILES).split() and not tools_own


def folder_problem(paths: "list[Path]") -> "str | None":
    """Say why a folder that holds `paths` can't be baked over, if it can't."""
    here = os.path.realpath(".")
    for path in paths:
        name = ascii(str(path))
        if path in (BEFORE, PROBE):
            return f"{name} is left from a bake that was stopped; move what you need, and delete it"
        if not is_written_to(path):
            continue
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(here):
            return f"{name} is a link that leads out of the folder; a bake could write there"
        if path.exists() and not os.access(path, os.W_OK):
            return f"{name} is read-only; a bake could stop there, half done"
        if str(path) in TOP_FOLDERS.split() and not path.is_dir():
            return f"{name} is a file, and projects have a folder of that name; rename it"
    return None


def note_what_is_here(paths: "list[Path]") -> None:
    """Write down what a bake over `paths` must not touch, for the other hook."""
    times = {
        path.as_posix(): path.lstat().st_mtime_ns
        for path in paths
        if "@" in str(path) or path.is_dir()
    }
    (BEFORE / "files").mkdir(parents=True)
    (BEFORE / "times.json").write_text(json.dumps(times), encoding="utf-8")
    for path in paths:
        copied = any(fnmatch.fnmatch(str(path), name) for name in ANSWERS["_copy_without_render"])
        if copied and path.is_file():
            (BEFORE / "files" / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, BEFORE / "files" / path)
    PROBE.touch()


def main() -> None:
    """Refuse, or prepare the folder for the other hook if it holds files."""
    here = [Path(root, name) for root, folders, files in os.walk(".") for name in folders + files]
    found = problems()
    if not found and (reason := folder_problem(here)):
        found = [reason]
    if found:
        sys.exit("\n".join(f"mlbake: {line}" for line in found))
    if here:
        note_what_is_here(here)


if __name__ == "__main__":
    main()
