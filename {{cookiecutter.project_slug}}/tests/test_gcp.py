"""The commands for Google Cloud, with programs that write down how they were called."""

{% if cookiecutter.docker -%}
import json
{% endif -%}
import os
import re
import shlex
import sys
{% if not cookiecutter.docker -%}
import subprocess
import tarfile
{% endif -%}
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
