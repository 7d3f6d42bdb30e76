package cluster

import "strings"

// stopWords are English words that say nothing of what a text is about, and
// what is left of contractions.
var stopWords = func() map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(stopWordList) {
		set[word] = true
	}
	return set
}()

const stopWordList = `
a about above after again against ago ain't all almost alone along already also although always am among an and
another any anybody anyone anything anyway are aren't around as ask asked at away
back be became because become becomes been before began behind being below between both but by
came can can't cannot come comes coming could couldn't couldnt
d did didn didn't didnt do does doesn doesn't doesnt doing don don't done dont down during
each either else enough even ever every everybody everyone everything
feel feeling feelings feels felt few first for from
gave get gets getting give given go goes going gone gonna got gotta
had hadn't has hasn't have haven haven't having he he'd he'll he's her here hers herself him himself his how however
i i'd i'll i'm i've if im in instead into is isn isn't it it'd it'll it's its itself ive
just
kind knew know known knows
last least less let let's like ll look looked looking looks lot lots
made make makes making many may maybe me mean might mine more most much must my myself
near need needs neither never next no nobody none nor not nothing now
of off often ok okay on once one ones only onto or other others our ours ourselves out over own
per perhaps please put
quite
rather re really right
said same saw say saying says see seem seemed seems seen shall she she'd she'll she's should shouldn't since so some
somebody someone something sometimes somewhere soon still stuff such sure
t take taken takes taking tell than that that's thats the their theirs them themselves then there there's these they
they'd they'll they're they've thing things think thinking this those though thought through thus till to today together
told too took toward towards tried try trying
u under until up upon ur us use used using
ve very via
want wanted wants was wasn wasn't way we we'd we'll we're we've well went were weren't what what's whatever when
whenever where whether which while who whole whom whose why will with within without won't would wouldn't
yeah yes yet you you'd you'll you're you've your yours yourself
`
