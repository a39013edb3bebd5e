// Starts `ksig lsp` for .ksig files. Everything that is known of the language is the server's.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function start() {
  const settings = vscode.workspace.getConfiguration("ksig");
  const lang = settings.get("lang");
  const server = { command: settings.get("path"), args: ["lsp"] };
  client = new LanguageClient("ksig", "ksig", server, {
    documentSelector: [{ language: "ksig" }],
    initializationOptions: lang === "auto" ? {} : { lang },
  });
  return client.start();
}

// Pages about codes, where the chapters of the language are not beside the signatures.
const pages = {
  provideTextDocumentContent: (uri) => client.sendRequest("ksig/explain", { code: uri.path.replace(/^\/|\.md$/g, "") }),
};

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider("ksig-doc", pages),
    vscode.commands.registerCommand("ksig.restart", () => client.restart()),
  );
  return start();
};

exports.deactivate = () => client && client.stop();
