"""JSON Web Tokens in the Authorization header. Needs PyJWT, imported with the first token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegx.runtime.triggers.cors import texts
from nodegx.runtime.triggers.duration import seconds
from nodegx.runtime.triggers.problem import ConfigError, Problem
from nodegx.runtime.triggers.request import Incoming

from .jwks import KeySet
from .secret import Lookup, reference

SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)


class Jwt:
    """Accepts tokens signed with a pinned algorithm, by one key or a key set, that have not
    expired, come from the issuer and for the audience that are configured, and have the claims
    asked for. A token for an audience is refused where none is configured."""

    needs_body = False

    def __init__(
        self,
        key: Lookup | KeySet,
        algorithms: tuple[str, ...],
        *,
        issuer: list[str] | None,
        audience: list[str] | None,
        leeway: float,
        claims: Mapping[str, Any],
    ) -> None:
        self._key = key
        self._algorithms = algorithms
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._claims = claims
        self._prepared: tuple[str, str, Any] | None = None  # algorithm, key text, key

    async def check(self, request: Incoming) -> None:
        import jwt

        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Problem(401, "A bearer token is required.", headers=_challenge(None))
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise _invalid("The token is malformed.") from None
        algorithm = header.get("alg")
        if algorithm not in self._algorithms:
            raise _invalid("The token is signed with an algorithm that is not allowed.")
        key = await self._find_key(header.get("kid"), algorithm)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp"]},
            )
        except jwt.InvalidTokenError as exc:
            raise _invalid(_reason(exc)) from None
        if any(claims.get(name) != value for name, value in self._claims.items()):
            raise Problem(
                403, "The token lacks a claim this needs.", headers=_challenge("insufficient_scope")
            )
        request.subject = f"{claims.get('iss', '')} {claims.get('sub', '')}"

    async def _find_key(self, kid: object, algorithm: str) -> Any:
        if isinstance(self._key, KeySet):
            key = await self._key.find(kid if isinstance(kid, str) else None, algorithm)
            if key is None:
                raise _invalid("The token is signed with an unknown key.")
            return key
        text = self._key()
        if self._prepared is None or self._prepared[:2] != (algorithm, text):
            import jwt

            try:
                prepared = jwt.get_algorithm_by_name(algorithm).prepare_key(text)
            except (jwt.InvalidKeyError, ValueError, TypeError):
                raise Problem(500, "This server's key for tokens is not usable.") from None
            self._prepared = (algorithm, text, prepared)
        return self._prepared[2]


def _invalid(detail: str) -> Problem:
    return Problem(401, detail, headers=_challenge("invalid_token"))


def _challenge(error: str | None) -> dict[str, str]:
    return {"www-authenticate": f'Bearer error="{error}"' if error else "Bearer"}


def _reason(exc: Exception) -> str:
    """What is wrong with a token, told by the kind of error: the text of a library's error may
    quote the token."""
    import jwt

    if isinstance(exc, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim `{exc.claim}`."
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (jwt.ExpiredSignatureError, "The token has expired."),
        (jwt.ImmatureSignatureError, "The token is not valid yet."),
        (jwt.InvalidIssuerError, "The token comes from another issuer."),
        (jwt.InvalidAudienceError, "The token is for another audience."),
        (jwt.InvalidSignatureError, "The token's signature is not valid."),
    )
    return next((text for kind, text in reasons if isinstance(exc, kind)), "The token is invalid.")


def build(config: Mapping[str, Any], secrets: Mapping[str, str]) -> Jwt:
    """The authenticator for `{algorithms?, secret | publicKey | jwksUrl, issuer?, audience?,
    leeway?, claims?}`. Exactly one of the three key settings is given; a secret goes with HS
    algorithms, the others with public-key ones, so that no public key passes for a secret."""
    sources = [name for name in ("secret", "publicKey", "jwksUrl") if config.get(name)]
    if len(sources) != 1:
        raise ConfigError("auth needs exactly one of secret, publicKey and jwksUrl")
    source = sources[0]
    family = SYMMETRIC if source == "secret" else ASYMMETRIC
    default = ["HS256"] if source == "secret" else ["RS256", "ES256"]
    algorithms = tuple(texts(config.get("algorithms") or default, "auth.algorithms"))
    wrong = [name for name in algorithms if name not in family]
    if wrong or not algorithms:
        raise ConfigError(f"auth.algorithms with {source} are among {', '.join(sorted(family))}")
    return Jwt(
        KeySet(config["jwksUrl"])
        if source == "jwksUrl"
        else reference(config[source], secrets, f"auth.{source}"),
        algorithms,
        issuer=texts(config["issuer"], "auth.issuer") if config.get("issuer") else None,
        audience=texts(config["audience"], "auth.audience") if config.get("audience") else None,
        leeway=seconds(config.get("leeway", 0), name="auth.leeway"),
        claims=config.get("claims") or {},
    )
