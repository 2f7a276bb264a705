using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class CaptionsTests
{
    [Fact]
    public void A_picture_and_its_sentences_depend_on_seed_split_and_index_alone()
    {
        Captions few = new(20, 7, sentences: 2), many = new(150, 7, sentences: 2), one = new(150, 7);
        for (int sample = 0; sample < few.Count; sample++) Assert.Equal(All(few, sample), All(many, sample));
        for (int i = 0; i < 150; i++) Assert.Equal(one.Sentence(i), many.Sentence(2 * i));
        Assert.Equal(Image(one, 140), Image(many, 281));
        foreach (Captions other in (Captions[])[new(20, 8, sentences: 2), new(20, 7, Split.Test, sentences: 2), new(20, 7, Split.Validation, sentences: 2)])
        {
            Assert.NotEqual(Image(few, 3), Image(other, 3));
            Assert.NotEqual(few.Sentence(3), other.Sentence(3));
        }

        Assert.Equal(OnThreads.One(() => All(new(150, 7, sentences: 2), 299)), OnThreads.Four(() => All(new(150, 7, sentences: 2), 299)));
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    [InlineData(3, 6)]
    [InlineData(4, 20)]
    public void Sentences_say_what_is_in_the_picture(int count, int glyphs)
    {
        Captions data = new(400, 3, Split.Test, count, 3, glyphs);
        HashSet<int> drawn = [];
        for (int sample = 0; sample < data.Count; sample++)
        {
            CaptionThing[] things = data.Things(sample).ToArray();
            Assert.Equal(count, things.Select(t => t.Cell).Distinct().Count());
            drawn.UnionWith(things.Select(t => t.Glyph));
            (string Of, int Value)[][] named = [.. Named(data.Sentence(sample))];
            Assert.Equal(count, named.Length);

            // Each noun with its adjectives is true of a glyph of its own.
            Assert.True(Assign(named, things, 0), data.Sentence(sample));
        }

        Assert.Equal(glyphs, drawn.Count);
    }

    [Fact]
    public void Corners_and_relations_are_true_of_glyphs_that_one_picture_tells_apart()
    {
        Captions data = new(2000, 5);
        int corners = 0, relations = 0;
        for (int sample = 0; sample < data.Count; sample++)
        {
            CaptionThing[] things = data.Things(sample).ToArray();
            if (things[0].Glyph == things[1].Glyph) continue;
            string[] words = data.Sentence(sample).Split(' ');
            int[] nouns = [.. Enumerable.Range(0, words.Length).Where(i => CaptionGrammar.Meaning(words[i]) is { Of: "glyph" })];
            CaptionThing Thing(int noun) => things.Single(t => t.Glyph == CaptionGrammar.Meaning(words[nouns[noun]])!.Value.Value);
            for (int i = nouns[1] + 1; i < words.Length; i++)
            {
                CaptionThing here = Thing(1), before = Thing(0);
                bool ofBefore = words.Skip(nouns[1]).Any(w => w is "it");
                if (words[i] is "top" or "upper") Assert.Equal(0, here.Row);
                if (words[i] is "bottom" or "lower") Assert.Equal(1, here.Row);
                if (words[i] is "above" or "over") Assert.True(here.Row < before.Row);
                if (words[i] is "below" or "under") Assert.True(here.Row > before.Row);
                if (words[i] is "left") Assert.True(ofBefore ? here.Column < before.Column : here.Column == 0);
                if (words[i] is "right") Assert.True(ofBefore ? here.Column > before.Column : here.Column == 1);
                if (words[i] is "left" or "right") _ = ofBefore ? relations++ : corners++;
            }
        }

        Assert.True(corners > 300 && relations > 100, $"{corners} {relations}");
    }

    [Fact]
    public void Where_the_sentence_names_a_glyph_its_colour_is_in_the_picture()
    {
        Captions data = new(300, 1);
        for (int sample = 0; sample < data.Count; sample++)
        {
            float[] image = Image(data, sample);
            foreach (CaptionThing thing in data.Things(sample))
            {
                float[] light = CaptionScene.Colours[thing.Colour].Light;
                float[] brightest = [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, 256).Max(i => image[c * 1024 + (16 * thing.Row + i / 16) * 32 + 16 * thing.Column + i % 16]))];
                for (int c = 0; c < 3; c++) Assert.True(brightest[c] > 0.4f * light[c], $"{sample}: {brightest[c]} of {light[c]}");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Sentences_have_room_and_use_every_word(int things)
    {
        Captions data = new(3000, 2, Split.Train, things);
        HashSet<float> used = [];
        int longest = 0, length = Captions.LengthOf(things);
        float[] ids = new float[length], mask = new float[length];
        for (int sample = 0; sample < data.Count; sample++)
        {
            data.Read(1, sample, default, ids);
            data.Read(2, sample, default, mask);
            int count = (int)mask.Sum();
            longest = Math.Max(longest, count);
            Assert.Equal(Enumerable.Range(0, length).Select(i => i < count ? 1f : 0), mask);
            Assert.Equal((1f, 2f), (ids[0], ids[count - 1]));
            Assert.All(ids[count..], id => Assert.Equal(0, id));
            Assert.All(ids[1..(count - 1)], id => Assert.InRange(id, 3, Captions.Vocabulary - 1));
            used.UnionWith(ids);
        }

        Assert.InRange(longest, length - 4 * things, length);
        if (things > 1) Assert.Equal(Captions.Vocabulary, used.Count);
    }

    [Fact]
    public void Sentences_of_a_picture_differ_and_few_are_those_of_another()
    {
        Captions data = new(1000, 4, Split.Test, sentences: 2);
        string[] all = [.. Enumerable.Range(0, data.Count).Select(data.Sentence)];
        Assert.True(Enumerable.Range(0, 1000).Count(i => all[2 * i] == all[2 * i + 1]) < 5);
        Assert.True(all.Distinct().Count() > 1980);
    }

    [Fact]
    public void It_opens_by_name_with_parts_of_the_asked_sizes()
    {
        Dictionary<string, string> options = new() { ["train"] = "30", ["validation"] = "20", ["test"] = "10", ["captions"] = "2", ["things"] = "1" };
        Assert.Equal([60, 40, 20], ((Split[])[Split.Train, Split.Validation, Split.Test]).Select(split => DataSource.OpenNamed("captions", split, options).Count));
        Assert.Contains("things of the data set captions must be a whole number from 1 to 4", Assert.Throws<InvalidDataException>(() =>
            DataSource.OpenNamed("captions", Split.Train, new Dictionary<string, string> { ["things"] = "5" })).Message);
    }

    /// <summary>What each noun of a sentence and the adjectives before it say.</summary>
    private static IEnumerable<(string, int)[]> Named(string sentence)
    {
        List<(string Of, int Value)> said = [];
        foreach (string word in sentence.Split(' '))
        {
            if (CaptionGrammar.Meaning(word) is not { } meaning) continue;
            said.Add(meaning);
            if (meaning.Of != "glyph") continue;
            yield return [.. said];
            said.Clear();
        }

        Assert.Empty(said);
    }

    private static bool Assign((string Of, int Value)[][] named, CaptionThing[] things, int at)
    {
        if (at == named.Length) return true;
        for (int i = at; i < things.Length; i++)
        {
            CaptionThing t = things[i];
            if (!named[at].All(n => n.Value == n.Of switch { "glyph" => t.Glyph, "colour" => t.Colour, "size" => t.IsLarge ? 1 : 0, _ => t.IsBold ? 1 : 0 })) continue;
            (things[at], things[i]) = (things[i], things[at]);
            if (Assign(named, things, at + 1)) return true;
            (things[at], things[i]) = (things[i], things[at]);
        }

        return false;
    }

    private static float[] Image(Captions data, int sample)
    {
        float[] y = new float[3 * 32 * 32];
        data.Read(0, sample, default, y);
        return y;
    }

    private static float[] All(Captions data, int sample)
    {
        List<float> all = [];
        for (int field = 0; field < 3; field++)
        {
            float[] y = new float[data.Fields[field].Shape.Count];
            data.Read(field, sample, default, y);
            all.AddRange(y);
        }

        return [.. all];
    }
}
