"""Stories, graphs and pages made from journals and definitions."""
