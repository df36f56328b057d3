"""Manifests of the JVM and of .NET. XML is read by its elements and never as a document: nothing in it is expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outrider.detect.dependencies.manifests.broken import table, toml
from outrider.detect.dependencies.names import Dependency

_BLOCK = re.compile(r"<(dependency|plugin|parent|extension)>((?:(?!<\1>).){0,4000}?)</\1>", re.DOTALL)
_INNER = re.compile(r"<(exclusions|dependencies|executions|configuration)>.*?</\1>", re.DOTALL)
_GROUP = re.compile(r"<groupId>\s*([^<\s]+)\s*</groupId>")
_ARTIFACT = re.compile(r"<artifactId>\s*([^<\s]+)\s*</artifactId>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_GRADLE = re.compile(r"['\"]([\w.-]+:[\w.-]+)(?::[^'\"\s]*)?['\"]")
_CONFIGURATION = re.compile(
    r"\b(?:\w*[iI]mplementation|\w*[aA]pi|compile|\w*[cC]ompileOnly|\w*[rR]untimeOnly|\w*[aA]nnotationProcessor|kapt\w*|"
    r"ksp\w*|classpath|coreLibraryDesugaring|platform|enforcedPlatform)\b"
)
_DOTNET = re.compile(
    r"<(?:PackageReference|PackageVersion|GlobalPackageReference)\b[^>]*?\b(?:Include|Update)=\"([^\"]+)\""
)
_CONFIG = re.compile(r"<package\b[^>]*?\bid=\"([^\"]+)\"")


def pom(text: str) -> Iterator[Dependency]:
    """Yield what a pom.xml wants: dependencies, plugins, the parent."""
    for block in _BLOCK.finditer(_COMMENT.sub("", text)):
        inner = _INNER.sub("", block[2])
        artifact, group = _ARTIFACT.search(inner), _GROUP.search(inner)
        if artifact is None or "${" in artifact[1]:
            continue
        owner = group[1] if group is not None else "org.apache.maven.plugins" if block[1] == "plugin" else ""
        if owner and "${" not in owner:
            yield Dependency(ecosystem="maven", name=f"{owner}:{artifact[1]}")


def gradle(text: str) -> Iterator[Dependency]:
    """Yield what a build of Gradle wants, where it is written out on the line of its configuration."""
    for line in text.splitlines():
        if _CONFIGURATION.search(line) and not line.lstrip().startswith("//"):
            for found in _GRADLE.finditer(line):
                yield Dependency(ecosystem="maven", name=found[1])


def catalogue(text: str) -> Iterator[Dependency]:
    """Yield what a version catalogue of Gradle names."""
    for value in table(toml(text).get("libraries")).values():
        one = table(value)
        name = value.rpartition(":")[0] if isinstance(value, str) else one.get("module")
        if name is None and isinstance(one.get("group"), str) and isinstance(one.get("name"), str):
            name = f"{one['group']}:{one['name']}"
        if isinstance(name, str) and ":" in name:
            yield Dependency(ecosystem="maven", name=name)


def dotnet(text: str) -> Iterator[Dependency]:
    """Yield what a project of .NET wants."""
    plain = _COMMENT.sub("", text)
    for pattern in (_DOTNET, _CONFIG):
        for found in pattern.finditer(plain):
            yield Dependency(ecosystem="nuget", name=found[1])
