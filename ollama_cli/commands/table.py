"""The table of all commands, in the order of help. Adding a command is a line here and its module."""

from __future__ import annotations

from ollama_cli.commands.lazy import Listed

COMMANDS = (
    Listed("signin", "signin", "Sign this device in to your ollama.com account."),
    Listed("login", "signin", hidden=True),
    Listed("signout", "signout", "Take this device off your account, and forget its key."),
    Listed("logout", "signout", hidden=True),
    Listed("status", "status", "Show the account, the credential, and where it is stored."),
    Listed("whoami", "status", hidden=True),
    Listed("keys", "keys", "This machine's device keys."),
    Listed("profile", "profile", "Accounts side by side, each with a credential of its own."),
    Listed("run", "run.command", "Ask a model, and print its answer as it arrives; or chat."),
    Listed("chats", "chats", "The chats that were kept."),
    Listed("list", "models.listing", "List the models of the Ollama server, or the cloud's."),
    Listed("ls", "models.listing", hidden=True),
    Listed("show", "models.showing", "Show what is known of a model."),
    Listed("ps", "models.running", "List the models that the Ollama server holds in memory."),
    Listed("stop", "models.stopping", "Take a model out of the Ollama server's memory."),
    Listed("cp", "models.copying", "Copy a model of the Ollama server under another name."),
    Listed("create", "create", "Make a model from a Modelfile, at the Ollama server."),
    Listed("pull", "models.pulling", "Load a model from a registry, by an Ollama server or without."),
    Listed("push", "models.pushing", "Send a model to a registry, by an Ollama server or without."),
    Listed("rm", "models.deleting", "Delete models of the Ollama server."),
    Listed("search", "search", "Search the web with ollama.com."),
    Listed("fetch", "fetch", "Print the text of a page of the web, which ollama.com loads."),
    Listed("api", "api", "Send a request to ollama.com, signed, and print its answer."),
    Listed("serve", "serve", "Run Ollama's API here, for programs that ask cloud models."),
    Listed("sandbox", "sandbox", "Run a stand-in for ollama.com on this machine, until Ctrl-C."),
    Listed("doctor", "doctor", "Check everything that a command needs, and say what to do."),
    Listed("completion", "completion", "Print the script that completes command lines in a shell."),
)
