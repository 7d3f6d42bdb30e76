package token

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// show writes tokens as "kind:text kind:text".
func show(tokens []Token) string {
	parts := make([]string, len(tokens))
	for i, t := range tokens {
		parts[i] = fmt.Sprintf("%v:%s", t.Kind, t.Text)
	}
	return strings.Join(parts, " ")
}

func TestSplit(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{" \t\n", ""},
		{"Hello, World", "word:hello word:world"},
		{"don't DON’T dont", "word:dont word:dont word:dont"},
		{"rock 'n' roll, dogs' 'quoted'", "word:rock word:n word:roll word:dogs word:quoted"},
		{"fish &amp; chips &lt;3", "word:fish word:chips number:3"},
		{"state-of-the-art a_b", "word:state word:of word:the word:art word:a word:b"},
		{"3 3.5 10,000 1. 2.x 3d 19th covid19", "number:3 number:3.5 number:10,000 number:1 number:2 word:x word:3d word:19th word:covid19"},
		{"#JobSearch #1 #tag_2! # C#", "hashtag:jobsearch number:1 hashtag:tag_2 word:c"},
		{"@Some_One hi me@example.org @", "mention:some_one word:hi word:me word:example word:org"},
		{"see https://WWW.Example.org/a?b=c#d now", "word:see link:example.org word:now"},
		{"www.example.org:80/x http:// www.", "link:example.org word:http word:www"},
		{"東京タワーへ ok", "ideograph:東 ideograph:京 ideograph:タ ideograph:ワ ideograph:ー ideograph:へ word:ok"},
		{"한국어 по-русски naïve नमस्ते", "word:한국어 word:по word:русски word:naïve word:नमस्ते"},
		{"so happy😂😂 ❤️👍🏽", "word:so word:happy symbol:😂 symbol:😂 symbol:❤ symbol:👍"},
		{"🇫🇷🇩🇪🇫", "symbol:🇫🇷 symbol:🇩🇪 symbol:🇫"},
		{"𝓗𝓮𝓵𝓵𝓸 ﬁve Ｗｉｄｅ", "word:hello word:five word:wide"},
		{"e\u0301t\u00e9", "word:\u00e9t\u00e9"},
		{"bad\xffbytes", "word:bad word:bytes"},
		{"?!...", ""},
	} {
		var s Splitter
		if got := show(s.Split(test.text)); got != test.want {
			t.Errorf("%q\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestCharactersAreAllButWhiteSpace(t *testing.T) {
	var s Splitter
	want := "character:? character:! character:\u2192 character:\ufffd"
	if got := show(s.Characters(" ?!\n\u2192\xff")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTokensAreFoldedAndNeverEmpty(t *testing.T) {
	var s Splitter
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, token := range s.Split(text) {
			if len(token.Text) == 0 || !utf8.Valid(token.Text) {
				t.Fatalf("token %v of %q has the text %q", token.Kind, text, token.Text)
			}
			if strings.ContainsAny(string(token.Text), " ABCXYZ'") {
				t.Fatalf("token %q is not folded", token.Text)
			}
		}
	})
}

func TestASplitterRemembersNothing(t *testing.T) {
	var used Splitter
	rapid.Check(t, func(t *rapid.T) {
		used.Split(rapid.String().Draw(t, "before"))
		text := rapid.String().Draw(t, "text")
		var fresh Splitter
		want := show(fresh.Split(text))
		if got := show(used.Split(text)); got != want {
			t.Fatalf("%q after another text: %s, alone: %s", text, got, want)
		}
	})
}

// A quadratic splitter needs minutes for these.
func TestSplitIsLinear(t *testing.T) {
	const size = 4 << 20
	for _, unit := range []string{"a", "a'", "http://", "www.", "https://!", "@", "#_", "1.", "1,a", "&", "\u0301", "\u4e00", "\U0001f1eb", "\xff"} {
		var s Splitter
		start := time.Now()
		s.Split(strings.Repeat(unit, size/len(unit)))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("4 MiB of %q took %v", unit, took)
		}
	}
}
