"""`--stage dev`: a function, a layer and a database of its own, with the variables of .env.dev."""

from __future__ import annotations

import argparse

import pytest
from django.core.management import CommandError

from faaskit import cli
from faaskit.cli import VERBS
from tests.faaskit.test_deploy import ENVIRON, change, deploy, environment, project, scf

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's

DEV = """\
SECRET_KEY=of-dev
MYSQL_HOST=10.0.0.2
MYSQL_DATABASE=survey_dev
MYSQL_USER=dev
MYSQL_PASSWORD=of-dev
VPC_ID=vpc-1
SUBNET_ID=subnet-1
"""
WITHOUT_STAGE = ("init", "package")  # what they write is the same for every stage


@pytest.fixture
def staged(project, monkeypatch):
    """Return the project with a file for each stage, and nothing but the keys in the environment."""
    for name in ENVIRON:
        if not name.startswith("TENCENT"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("MYSQL_DATABASE", raising=False)
    (project / ".env").write_text(DEV.replace("dev", "prod"), encoding="utf-8")
    (project / ".env.dev").write_text(DEV, encoding="utf-8")
    (project / ".env.example").write_text("SECRET_KEY=\n", encoding="utf-8")
    return project


def test_a_stage_has_a_function_a_layer_and_variables_of_its_own(staged, scf):
    deploy(staged, stage="dev")
    assert scf.function["FunctionName"] == "survey-dev"
    assert scf.live["Layers"] == [{"LayerName": "survey-layer-dev", "LayerVersion": 1}]
    variables = environment(scf.live)
    assert (variables["SECRET_KEY"], variables["MYSQL_DATABASE"]) == ("of-dev", "survey_dev")


def test_without_the_option_the_stage_is_that_of_the_file_and_its_variables_are_in_env(staged, scf):
    deploy(staged)
    assert scf.function["FunctionName"] == "survey-prod"
    assert environment(scf.live)["MYSQL_DATABASE"] == "survey_prod"


def test_a_stage_without_a_file_never_takes_the_variables_of_production(staged, scf):
    (staged / ".env.dev").unlink()
    with pytest.raises(
        CommandError, match=r"Required and not set: SECRET_KEY, .*\. Put them into .*\.env\.dev or into"
    ):
        deploy(staged, stage="dev")
    assert scf.calls == []


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("same", ["MYSQL_DATABASE=survey_prod", "MYSQL_DATABASE="])
def test_two_stages_with_one_database_are_refused(staged, scf, same, dry_run):
    change(staged / ".env.dev", "MYSQL_DATABASE=survey_dev", same)
    with pytest.raises(
        CommandError, match=r"stages dev and prod may have one database: compare MYSQL_HOST, .* with \.env\."
    ):
        deploy(staged, stage="dev", dry_run=dry_run)
    assert scf.calls == []


def test_the_database_of_a_deployed_stage_is_refused_where_no_file_names_it(staged, scf):
    deploy(staged)
    (staged / ".env").unlink()
    change(staged / ".env.dev", "survey_dev", "survey_prod")
    scf.calls.clear()
    with pytest.raises(CommandError, match=r"may have one database: .* with the deployed function survey-prod\."):
        deploy(staged, stage="dev")
    assert scf.actions == ["GetFunction"]


def test_keys_that_may_not_read_the_other_stage_deploy_and_say_that_nothing_was_compared(staged, scf):
    scf.fail_at = 0
    output = deploy(staged, stage="dev")
    assert "The database of stage prod was not compared: GetFunction: InternalError" in output
    assert scf.function["FunctionName"] == "survey-dev"


def test_two_stages_with_one_function_are_refused(staged, scf):
    change(staged / "serverless.yml", "  name: ${app}-${stage}\n", "  name: survey\n")
    with pytest.raises(
        CommandError, match=r"names the function survey for the stages dev and prod: write '\$\{stage\}'"
    ):
        deploy(staged, stage="dev")
    assert scf.calls == []


def test_two_stages_with_one_layer_are_refused(staged, scf):
    file = staged / "deploy" / "layer" / "serverless.yml"
    change(file, "${stage}", "prod")
    with pytest.raises(CommandError, match=r"names the layer survey-layer-prod for the stages dev and prod"):
        deploy(staged, stage="dev")
    assert scf.calls == []


def test_a_stage_with_two_files_and_a_name_that_is_none_are_refused(staged, scf):
    (staged / ".env.prod").write_text(DEV, encoding="utf-8")
    with pytest.raises(CommandError, match=r"\.env and .*\.env\.prod are both for stage prod: keep one of them"):
        deploy(staged)
    with pytest.raises(CommandError, match=r"'\.\./x' is no name of a stage"):
        deploy(staged, stage="../x")
    assert scf.calls == []


def test_a_project_without_a_database_deploys_two_stages(staged, scf):
    (staged / "pyproject.toml").write_text("[tool.faaskit]\n", encoding="utf-8")
    change(staged / ".env.dev", "survey_dev", "survey_prod")
    deploy(staged, stage="dev")
    assert scf.function["FunctionName"] == "survey-dev"


def test_every_verb_works_on_the_stage_that_it_is_given(staged, scf, capsys):
    deploy(staged, stage="dev")
    folder = ("--folder", str(staged), "--stage", "dev")
    assert cli.main(["status", *folder]) == 0
    assert "function  survey-dev in ap-guangzhou" in capsys.readouterr().out
    assert cli.main(["invoke", "--remote", "--manage", "doctor", *folder]) == 0
    assert cli.main(["rollback", "7", *folder]) == 1
    assert cli.main(["logs", "--no-follow", *folder]) == 1
    assert "Function survey-dev has no log topic" in capsys.readouterr().err
    assert cli.main(["remove", "--noinput", *folder]) == 0
    assert scf.function is None
    # survey-prod is read once, to compare the databases; a Web function of either stage would have -web.
    names = {parameters["FunctionName"] for _, parameters in scf.calls if "FunctionName" in parameters}
    assert {name.removesuffix("-web") for name in names} == {"survey-dev", "survey-prod"}
    changed = {str(parameters) for action, parameters in scf.calls if not action.startswith(("Get", "List"))}
    assert not [parameters for parameters in changed if "survey-prod" in parameters]


@pytest.mark.parametrize("name", [name for name in VERBS if name not in WITHOUT_STAGE])
def test_every_verb_that_needs_variables_knows_the_stage(name):
    parser = argparse.ArgumentParser()
    VERBS[name].load().add_arguments(parser)
    assert "--stage" in parser.format_help()
