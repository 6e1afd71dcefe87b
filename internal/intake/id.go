package intake

// ID returns the ID that an entry of that name has, as long as no other in its
// class would have the same. So a name in a gradebook finds its submission.
func ID(name string) string { return slug(trimArchive(name)) }

// Same tells whether two names of entries are the same but for the form in which
// they were handed in, as alice and alice.zip are.
func Same(a, b string) bool { return trimArchive(a) == trimArchive(b) }
