"""A copy of the project in which experiments run, so that the project itself is left alone.

`dvc exp run --temp` and `--queue` stash what is not committed, move HEAD and put both back, each
time that an experiment starts: an edit in the meantime is in the later ones. This copy is made of
the project as it stands when the command begins. It keeps data and interrupted trainings from one
experiment to the next, and from one call to the next; DVC's cache is the project's own.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from dvc.config import Config
from dvc.repo import Repo

from dminity.commands.git import GitRefused, environment, git
from dminity.core.child import ended_with_us
from dminity.core.files import Occupied, exclusive, remove
from dminity.core.stage import METRICS
from dminity.params import PARAMS_FILE

# In DVC's folder for what is temporary, which Git ignores.
FOLDER = Path("dminity/project")
LOCK = Path("dminity/lock")
# Finished experiments. DVC keeps others beside them: what is queued, or stashed while one runs.
EXPERIMENTS = "refs/exps/*/*/*"
# What stages and DVC read of what Git keeps.
READ = ("src", "dvc.yaml", "dvc.lock", PARAMS_FILE.name)


class ProjectCopy:
    """The copy.

    Args:
        repo: the project.
    """

    def __init__(self, repo: Repo) -> None:
        self.project = Path(repo.root_dir)
        self.folder = Path(repo.tmp_dir) / FOLDER
        self.lock = Path(repo.tmp_dir) / LOCK
        self.config = repo.config.read("local")
        self.config["cache"] = self.config.get("cache", {}) | {"dir": repo.cache.local_cache_dir}
        self.head = git(self.project, "rev-parse", "HEAD")
        self.state = self._state()

    def _state(self) -> str:
        """A commit of the project as it stands, on no branch: the last one, if nothing changed.

        Raises:
            GitRefused: while a merge is unfinished, or a file is announced to Git and not added.
        """
        try:
            return git(self.project, "stash", "create") or self.head
        except GitRefused as error:
            raise GitRefused(
                f"{error}: end the merge, or `git add` what `git add -N` announced"
            ) from error

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let no other process work in the copy, which is made if it is not there.

        Raises:
            Occupied: if one does.
        """
        with exclusive(self.folder, self.lock):
            if not self.folder.exists():
                self._make()
            yield

    def collect(self) -> None:
        """Move into the project what was finished when an earlier call was interrupted.

        A call that is at work in the copy does that itself.
        """
        if self.folder.exists():
            with suppress(Occupied), exclusive(self.folder, self.lock):
                self._collect()

    def _collect(self) -> None:
        """Move finished experiments into the project; its data are in the cache already."""
        refs = git(self.folder, "for-each-ref", "--format=%(refname)", EXPERIMENTS).splitlines()
        for ref in refs:
            # What the user fetched last is still FETCH_HEAD.
            options = ("--quiet", "--no-write-fetch-head", "--no-tags")
            git(self.project, "fetch", *options, self.folder, f"{ref}:{ref}")
            git(self.folder, "update-ref", "-d", ref)

    def remove(self) -> None:
        """Remove the copy, with its data and interrupted trainings."""
        remove(self.folder)

    def run(self, name: str, changes: Sequence[str]) -> bool:
        """Run an experiment; whether it ended well. The project has it then.

        Args:
            name: of the experiment.
            changes: of params.yaml, as `-S` takes them.
        """
        self._put_back()
        options = [option for change in changes for option in ("-S", change)]
        done = _run_dvc(self.folder, "exp", "run", "--name", name, *options)
        self._collect()
        return done

    def _make(self) -> None:
        """Make the copy. Its commits are the project's, which lie there and nowhere else.

        It is no clone: one of a clone that is itself shallow would not know what is not committed.
        """
        unfinished = self.folder.with_name(f".{self.folder.name}.unfinished")
        remove(unfinished)
        git(self.project, "init", "--quiet", unfinished)
        objects, shallow = (
            self.project / git(self.project, "rev-parse", "--git-path", name)
            for name in ("objects", "shallow")
        )
        (unfinished / ".git/objects/info/alternates").write_text(f"{objects.resolve()}\n")
        if shallow.exists():
            shutil.copy(shallow, unfinished / ".git")
        for name in ("user.name", "user.email"):
            if value := git(self.project, "config", "--default", "", name):
                git(unfinished, "config", name, value)
        unfinished.rename(self.folder)

    def _put_back(self) -> None:
        """Give the copy the project's files, as they were when the command began.

        It has the project's data and `dvc.lock` at first, and then those of its last experiment:
        data that the project does not have yet are not made anew for each. Where the project has
        recorded other data since, it has those.
        """
        # What an interrupted run was reading or writing.
        for left in (".dvc/tmp/rwlock", ".git/index.lock"):
            remove(self.folder / left)
        lock = git(self.project, "ls-tree", self.state, "dvc.lock")
        given = self.folder / ".git/dminity-lock"
        is_new = not given.exists() or given.read_text() != lock
        kept = [] if is_new else [f":(exclude){name}" for name in ("dvc.lock", METRICS)]
        git(self.folder, "update-ref", "--no-deref", "HEAD", self.head)
        source = ("restore", f"--source={self.state}", "--staged", "--worktree")
        git(self.folder, *source, "--", ".", *kept)
        settings = self.folder / ".dvc" / Config.CONFIG_LOCAL
        # The keys of a remote may be among them.
        settings.touch(mode=0o600)
        with Config(dvc_dir=str(settings.parent)).edit("local") as local:
            local.update(self.config)
        if is_new:
            # Data that are nowhere are made again.
            _run_dvc(self.folder, "checkout", "--quiet", "--force", "--allow-missing")
            given.write_text(lock)


def uncommitted(root: Path, *among: str) -> list[str]:
    """Files of the project that Git knows, as they are not in its last commit.

    Args:
        root: the project.
        among: files and folders of it; all, unless they are given.
    """
    return _listed(root, "diff", "--name-only", "HEAD", "--", *among)


def unknown_to_git(root: Path) -> list[str]:
    """Files that stages read and the copy would not have: Git neither knows nor ignores them."""
    return _listed(root, "ls-files", "--others", "--exclude-standard", "--", *READ)


def _listed(root: Path, *command: str) -> list[str]:
    """The names that a command of Git lists, whatever is in them."""
    return [name for name in git(root, command[0], "-z", *command[1:]).split("\0") if name]


def _run_dvc(folder: Path, *arguments: str) -> bool:
    """Run a command of DVC in a folder, its output on stderr; whether it ended well.

    It ends with this process, and so do the stages that it starts.
    """
    # Stages are started as `python`.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    process = subprocess.Popen(  # noqa: S603
        ended_with_us([sys.executable, "-m", "dvc", *arguments], signal.SIGKILL),
        cwd=folder,
        env=environment() | {"PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        # A terminal's Ctrl-C comes here, and goes on from here, once.
        process_group=0,
    )
    try:
        with _ended_by(signal.SIGTERM, signal.SIGHUP):
            return process.wait() == 0
    except BaseException:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        raise


@contextmanager
def _ended_by(*numbers: signal.Signals) -> Iterator[None]:
    """Let these signals end the process as `sys.exit` does, and not at once."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
