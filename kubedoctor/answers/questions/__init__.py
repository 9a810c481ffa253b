"""The questions that people ask: one module a question, named as the command. The entry point `kubedoctor.questions`
names this package, as a third party's names its own."""
