"""The knowledge graph: entities and dated facts with their evidence."""
