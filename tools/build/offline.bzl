"""Repositories that Bazel 4.2.3, as Debian packages it, would otherwise download."""

def offline_repositories():
    """Declares local stand-ins on Bazel 4; newer releases use MODULE.bazel instead."""

    # Debian's build of 4.2.3 has an empty version string; released Bazels have "X.Y.Z".
    if native.bazel_version == "" or native.bazel_version.startswith("4."):
        for name in ["remote_coverage_tools", "rules_cc", "rules_java"]:
            native.local_repository(
                name = name,
                path = "tools/build/rules/" + name,
            )
