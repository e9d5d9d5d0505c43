"""`manage.py build_lexicon`: build the memory-mapped file of jieba's tables, or check it."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Build into FOLDER, by default the folder where the project looks for the file."""

    help = "Build the memory-mapped file of jieba's dictionary, IDF table and models from the installed jieba."
    requires_system_checks: list[str] = []  # noqa: RUF012  as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="default: LEXICON_DIR, else the user's cache folder")
        parser.add_argument("--missing", action="store_true", help="only if the file is missing or damaged")
        parser.add_argument("--check", action="store_true", help="build nothing: compare the file with jieba's data")

    def handle(self, *args: object, folder: Path | None, missing: bool, check: bool, **options: object) -> None:
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
        note = ", equal to jieba's data" if check else ""
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes{note}")
