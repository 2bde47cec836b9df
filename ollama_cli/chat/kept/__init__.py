"""Kept chats: whether a chat is kept, what is written of it as it goes on, and the archive that holds them all.

``deciding`` says whether, ``writing`` writes what is new in a session, in the form of ``form``, to the file of
``database``. ``archive`` reads them again: it lists, finds and removes chats, gives them as ``stored`` says, and
searches as ``searching`` does. ``export`` makes a file of one.
"""
