"""Timetable mode: asks an author's timetable and partition mappers, in a process of the author's."""
