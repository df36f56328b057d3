"""Containers, clusters, clouds and key stores: what only looks, what shows a secret, and what is taken away."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)

LOOKS = [
    "kubectl get pods -n web",
    "kubectl describe secret web",
    "kubectl logs -f deploy/web --tail=20",
    "kubectl rollout status deploy/web",
    "kubectl config current-context",
    "helm list -A",
    "aws s3 ls s3://bucket/",
    "aws sqs receive-message --queue-url https://sqs.example/q",
    "aws ec2 describe-instances --filters Name=tag:x,Values=delete-me",
    "gcloud compute instances list",
    "az vm list -o table",
    "heroku logs --tail --app x",
    "vault kv list secret/",
    "vault policy read web",
    "vault token lookup",
    "nomad job status web",
    "ping -c 1 build.example",
    "dig +short www.example.com",
    "nc -z db.example 5432",
]
SHOWS = [
    "kubectl get secret web -o yaml",
    "kubectl config view --raw",
    "aws secretsmanager get-secret-value --secret-id x",
    "aws ssm get-parameter --name x --with-decryption",
    "aws sts assume-role --role-arn x --role-session-name y",
    "gcloud auth print-access-token",
    "az keyvault secret show --name x --vault-name y",
    "vault kv get secret/web",
    "vault read database/creds/web",
]
TAKES = {
    "kubectl delete ns web": "kubectl:delete",
    "kubectl rollout undo deploy/web": "kubectl:rollout",
    "helm uninstall web": "helm:uninstall",
    "aws dynamodb delete-table --table-name list": "aws:dynamodb:delete-table",
    "aws ec2 terminate-instances --instance-ids i-1": "aws:ec2:terminate-instances",
    "aws s3 rb s3://bucket --force": "aws:s3:rb",
    "aws s3 sync . s3://bucket --delete": "aws:sync-delete",
    "gcloud projects delete x": "gcloud:projects:delete",
    "az group delete -n x": "az:group:delete",
    "heroku apps:destroy x": "heroku:apps:destroy:x",
    "vault kv destroy -versions=1 secret/web": "vault:kv-destroy",
    "vault secrets disable kv/": "vault:secrets-disable",
    "terraform state rm a.b": "terraform:state-rm",
    "terraform workspace delete old": "terraform:workspace-delete",
    "pulumi stack rm dev": "pulumi:stack-rm",
    "minikube delete": "minikube:delete",
    "docker system prune -af --volumes": "docker:system-prune",
    "docker volume rm data": "docker:volume-rm",
    "docker rm -f db": "docker:rm-forced",
    "docker rm $(docker ps -aq)": "docker:rm-forced",
    "docker compose down -v": "docker:down-volumes",
    "docker-compose -f a.yml down --volumes": "docker-compose:down-volumes",
}
HERE = [
    "docker compose down",
    "docker compose up -d --build",
    "docker stop web && docker rm web",
    "docker image ls -a",
    "terraform state list",
    "terraform workspace select dev",
    "pulumi stack output",
    "pulumi up --help",
    "netlify dev",
    "sam local invoke",
    "kubectl kustomize overlays/dev",
]


def deployed(text: str) -> list[str]:
    return [effect.value for effect in playing.shell(text) if effect.verb == "deploy"]


@pytest.mark.parametrize("text", LOOKS)
def test_what_only_looks_at_a_service_says_so(text):
    reached = [effect for effect in playing.shell(text) if effect.verb == "connect"]
    assert reached
    assert all("looks" in effect.flags for effect in reached)
    assert deployed(text) == []


@pytest.mark.parametrize("text", SHOWS)
def test_what_prints_a_secret_of_a_service_uses_a_credential(text):
    assert "use_credential" in {effect.verb for effect in playing.shell(text)}


@pytest.mark.parametrize(("text", "what"), TAKES.items())
def test_what_takes_something_away_on_a_service_is_a_deployment(text, what):
    assert what in deployed(text)


@pytest.mark.parametrize("text", HERE)
def test_what_stays_on_this_host_reaches_no_service(text):
    assert deployed(text) == []


def test_who_names_the_engines_socket_writes_it():
    assert "write /var/run/docker.sock" in playing.lines("docker -H unix:///var/run/docker.sock ps")
