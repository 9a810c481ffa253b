"""The built-in questions: one module per question, named like its command. The entry point `kubedoctor.questions`
names this package, as a third party's names its own."""
