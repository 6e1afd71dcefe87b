package intake

// ID returns the ID that an entry of that name has, as long as no other in its
// class would have the same. So a name in a gradebook finds its submission.
func ID(name string) string { return slug(trimArchive(name)) }
