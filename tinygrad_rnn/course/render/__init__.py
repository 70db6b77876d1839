"""How a verdict looks: as text for a terminal, as HTML for a notebook, as a picture of the first wrong edge."""
