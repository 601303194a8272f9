"""How objects of other people's classes are written as data and read again: a module for each library."""
