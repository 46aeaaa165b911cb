"""Views: packets and traces as text, HTML, SVG and plots."""
