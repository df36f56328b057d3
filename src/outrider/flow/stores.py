"""Which files are secret stores: reading one brings the label ``secret``, whatever is in it that day."""

from __future__ import annotations

import re
from functools import lru_cache

_STORE = re.compile(
    r"""(?:^|/)(?:
        \.ssh/(?!known_hosts|authorized_keys|config\b|.*\.pub$)[^/]+
      | \.aws/(?:credentials|sso/cache/.*|cli/cache/.*)
      | \.azure/(?:accessTokens\.json|msal_token_cache\.[^/]*|azureProfile\.json|service_principal_entries\.json)
      | \.config/gcloud/(?:(?:credentials|access_tokens)\.db|legacy_credentials/.*)
      | application_default_credentials\.json
      | \.kube/(?:config|cache/.*) | kubeconfig[^/]* | (?:admin|kubelet|controller-manager|scheduler)\.conf
      | \.docker/config\.json | \.config/containers/auth\.json | containers/auth\.json | \.dockercfg
      | \.netrc | _netrc | \.npmrc | \.yarnrc\.yml | \.pypirc | \.git-credentials | \.gem/credentials
      | \.cargo/credentials(?:\.toml)? | \.m2/settings(?:-security)?\.xml | \.gradle/gradle\.properties
      | \.nuget/NuGet\.Config | \.composer/auth\.json | \.config/pip/pip\.conf | \.pip/pip\.conf
      | \.config/gh/hosts\.yml | \.config/hub | \.config/glab-cli/config\.yml | \.terraform\.d/credentials\.tfrc\.json
      | \.terraformrc | terraform\.tfstate(?:\.backup)? | [^/]+\.auto\.tfvars | terraform\.tfvars | \.vault-token
      | \.pgpass | \.my\.cnf | \.mylogin\.cnf | \.s3cfg | \.boto | rclone\.conf | \.pulumi/credentials\.json
      | \.gnupg/(?:private-keys-v1\.d/.*|secring\.gpg|.*\.key) | \.password-store/.*
      | \.local/share/keyrings/.* | \.config/(?:op|Bitwarden[^/]*|bitwarden)/.* | Library/Keychains/.*
      | \.config/doctl/config\.yaml | \.fly/config\.yml | \.netlify/config\.json | \.config/netlify/config\.json
      | \.config/heroku/.* | \.databrickscfg | \.snowsql/config | \.huggingface/token | \.cache/huggingface/token
      | \.claude/\.credentials\.json | \.codex/auth\.json | \.config/(?:anthropic|openai)/.*
      | \.mozilla/firefox/[^/]+/(?:logins\.json|key4\.db|cookies\.sqlite)
      | (?:google-chrome|chromium|BraveSoftware[^/]*)/.*/(?:Login\ Data|Cookies|Web\ Data)
      | \.bitcoin/.*wallet.* | wallet\.dat | \.ethereum/keystore/.* | \.electrum/wallets/.* | \.config/solana/id\.json
      | \.env(?:\.(?!example$|sample$|template$|dist$|defaults?$|schema$)[A-Za-z0-9_.-]+)? | [A-Za-z0-9_-]+\.env
      | \.envrc
      | [^/]+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc\.key|p8)
      | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?
      | (?:service[-_]?account|credentials|client_secret|secrets?)[A-Za-z0-9_.-]*\.(?:json|ya?ml|toml|ini|properties)
      | secring\.gpg | \.htpasswd | shadow- | [^/]*\.agekey | keys\.txt\.age
    )$
  | ^/etc/(?:shadow|gshadow|sudoers|master\.passwd|krb5\.keytab|ssl/private/.*|ssh/ssh_host_[^/]*_key
      |kubernetes/(?:admin|kubelet)\.conf|openvpn/.*\.(?:key|conf)|wireguard/.*|ipsec\.secrets|ppp/(?:chap|pap)-secrets
      |pki/tls/private/.*|letsencrypt/(?:live|archive)/.*privkey[^/]*|security/opasswd)$
  | ^/proc/(?:[0-9]+|self|thread-self|\*)/(?:environ|mem|task/[^/]+/environ|fd/.*)$
  | ^/(?:var/run|run)/secrets/.+ | ^/dev/(?:mem|kmem)$
  | ^/var/lib/(?:docker|kubelet)/.*(?:token|key|secret)[^/]*$
    """,
    re.VERBOSE,
)
_FIXTURE = re.compile(
    r"(?:^|/)(?:tests?|__tests__|fixtures?|testdata|test-data|spec|specs|examples?|samples?|mocks?|vectors"
    r"|node_modules|site-packages|dist-packages)/"
    r"|^/(?:usr/(?:share|lib|include|local/share)|etc/ssl/certs|etc/pki/ca-trust)/"
)
_PUBLIC = re.compile(r"(?:^|[/._-])(?:ca|cacert|cert|chain|fullchain|bundle|public|pub|roots?)(?:-?[a-z]*)?\.pem$")
_HOLDS_STORES = re.compile(
    r"^/$|^~$|^/(?:root|home|Users|etc|run/secrets|proc)$|^/(?:home|Users)/[^/]+$"
    r"|(?:^|/)(?:\.ssh|\.aws|\.azure|\.gnupg|\.kube|\.docker|\.password-store|keyrings|\.config|\.config/gcloud|\.config/gh"
    r"|\.local/share|\.m2|\.cargo|\.gem|\.mozilla|\.bitcoin|\.ethereum)$"
)
_GLOB = re.compile(r"[*?\[{]")


@lru_cache(maxsize=4096)
def is_secret_store(path: str) -> bool:
    """Tell whether the file at ``path`` (absolute, or beginning with ``~/``) is kept for its secrets.

    Fixtures of tests and what packages ship are not, by their place; their content is looked at all the same.
    """
    if not _STORE.search(path):
        return False
    return not (_FIXTURE.search(path) or _PUBLIC.search(path))


def reads_secret_store(path: str, *, whole_tree: bool) -> bool:
    """Tell whether reading ``path`` reads a secret store.

    Args:
        path: A path, or a pattern of paths.
        whole_tree: True if everything beneath is read: a home or ``~/.aws`` holds stores.
    """
    plain = path.rstrip("/") or "/"
    if is_secret_store(plain) or (whole_tree and _HOLDS_STORES.search(plain)):
        return True
    if not _GLOB.search(plain):
        return False
    head, _, tail = plain.rpartition("/")
    if _GLOB.search(tail) and _HOLDS_STORES.search(head) and not tail.endswith((".pub", ".md", ".txt")):
        return head not in ("", "/", "/etc", "/proc", "/home") and "/." in head
    # A pattern is taken for what it can match: `.en?` and `*.pem` are stores as `.env` and `a.pem` are.
    return is_secret_store(_GLOB.sub("a", plain)) or bool(
        re.search(r"/\.e?n?v?[*?\[]", plain) and tail.startswith(".e")
    )
