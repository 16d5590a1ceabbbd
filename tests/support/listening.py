"""Listens to deployments."""

from __future__ import annotations

from nodegx.providers.aws.canary import Look
from nodegx.providers.aws.publish import Published
from nodegx.providers.aws.steps import Message, Step


class Heard:
    """Remembers what a deployment tells."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[Step] = []
        self.messages: list[Message] = []
        self.versions: list[Published] = []
        self.looks: list[Look] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def message(self, message: Message) -> None:
        self.messages.append(message)

    def published(self, published: Published) -> None:
        self.versions.append(published)

    def look(self, look: Look) -> None:
        self.looks.append(look)
