"""Makes the file of jieba's tables, or checks the one in use."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """`build_lexicon`: into the folder where the project looks for it; `build_lexicon FOLDER`: there."""

    help = "Make the memory-mapped file of jieba's dictionary, IDF table and models from the installed jieba."
    requires_system_checks: list[str] = []  # noqa: RUF012  as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder to write into, and --check."""
        parser.add_argument("folder", nargs="?", type=Path, help="default: LEXICON_DIR, else the user's cache folder")
        parser.add_argument("--missing", action="store_true", help="only where there is none, or a damaged one")
        parser.add_argument(
            "--check", action="store_true", help="build nothing: compare the file with jieba's data byte by byte"
        )

    def handle(self, *args: object, folder: Path | None, missing: bool, check: bool, **options: object) -> None:
        """Build or check, and say where the file is."""
        from survey.text import build, lexicon
        from survey.text.lexicon_reader import Stale
        from survey.text.tables import DamagedFile

        path = (folder or lexicon.folder()) / lexicon.FILE_NAME
        try:
            if check:
                build.check(path)
            elif missing:
                lexicon.open_or_build(path)
            else:
                build.build(path)
        except (OSError, DamagedFile, Stale, lexicon.LexiconError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes{', as jieba has it' if check else ''}")
