package companion

import (
	"charm.land/lipgloss/v2"
)

// styles are the colours of everything. What they say is always said by a sign
// or a word as well.
type styles struct {
	strong, dim, accent, good, bad, wait lipgloss.Style
	brand, chosen, key                   lipgloss.Style
}

// newStyles returns the styles for a dark or a light background. The terminal
// gets the nearest colours that it has, or none if it is to have none.
func newStyles(dark bool) styles {
	pick := lipgloss.LightDark(dark)
	color := func(light, dark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	s := styles{
		strong: lipgloss.NewStyle().Bold(true),
		dim:    color("#636c76", "#8b949e"),
		accent: color("#0550ae", "#79c0ff"),
		good:   color("#116329", "#56d364"),
		bad:    color("#b3202a", "#ff7b72"),
		wait:   color("#7d4e00", "#e3b341"),
	}
	s.brand = s.accent.Bold(true)
	s.chosen = s.accent.Bold(true)
	s.key = s.accent
	return s
}
