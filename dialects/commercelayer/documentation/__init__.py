"""The API description of the dialect: schemas of documents, and the operations of views."""
