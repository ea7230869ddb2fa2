"""The HTTP routes: `reading` for programs; `drawing`, `training`, `looking` for the views."""
