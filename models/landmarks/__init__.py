"""The landmark network's workshop: turned heads, crops as the product cuts them, training and export."""
