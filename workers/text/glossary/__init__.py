"""A glossary in a translation: terms found, kept from the model, put back, checked. No model library."""
