"""The words of the glossary, one subject per file."""
