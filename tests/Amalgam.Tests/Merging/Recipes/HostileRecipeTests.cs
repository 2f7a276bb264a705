using System.Text;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

/// <summary>Whatever the text: recipes or a <see cref="MergeException"/>, at a cost in proportion to it.</summary>
public class HostileRecipeTests
{
    private const string Valid = """
        name: first
        merge_method: ties # with filters
        base_model: {model: {path: "base", revision: main}}
        slices:
        - sources:
          - model: a@1+l@2
            layer_range: [0, 4]
            parameters: &p {weight: 0.5, density: [0.1, 0.9]}
          - {model: b, layer_range: [2, 6], parameters: *p}
          parameters:
            density:
            - {filter: "regex:mlp|attn", value: [1e-1, 1]}
            - value: 'x'
        parameters: {normalize: true, include: ["*.weight", 'glob:fc?']}
        dtype: torch.bfloat16
        tokenizer: {source: union, tokens: {"<s>": {}}}
        ---
        merge_method: slerp
        models: [{model: first}, {model: c}]
        parameters: {t: [{filter: mlp, value: 0.5}, {value: "\u00e9"}]}
        chat_template: |
          {{ x }}
          # y
        """;

    [Fact]
    public void The_recipe_that_is_mutated_is_valid() => Assert.Equal(2, RecipeFile.Parse(Valid, "r").Length);

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("[{")]
    public void Nesting_without_end_does_not_exhaust_the_stack(string open) =>
        Refuses("parameters: \n  " + string.Concat(Enumerable.Repeat(open, 100_000)), "");

    [Fact]
    public void Nesting_has_a_limit() => Refuses($"a: {new string('[', 64)}{new string(']', 64)}", "nested deeper than 64 levels");

    [Fact]
    public void An_alias_bomb_is_counted_before_it_is_built()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");

        Refuses(bomb.ToString(), "more than 200000 values, counting what aliases repeat");
    }

    [Theory]
    [InlineData("parameters: &a {b: *a}", "stands inside what it repeats")]
    [InlineData("models: &a [*a]", "stands inside what it repeats")]
    [InlineData("a: &x [1]\nb: &x [*x]", "stands inside what it repeats")]
    public void An_alias_inside_itself_is_refused(string text, string phrase) => Refuses(text, phrase);

    [Fact]
    public void An_anchor_may_be_given_again() =>
        Assert.Single(RecipeFile.Parse("merge_method: m\nmodels: [{model: &x a}, {model: &x b}, {model: *x}]", "r"));

    [Fact]
    public void Many_values_are_refused() => Refuses("a: [" + string.Concat(Enumerable.Repeat("1,", 300_000)) + "]", "more than 200000 values");

    [Fact]
    public void Many_documents_are_refused() => Refuses(string.Concat(Enumerable.Repeat("---\na\n", 1001)), "at most 1000 documents, found 1001");

    [Fact]
    public void Messages_stay_short_whatever_the_key()
    {
        string message = Assert.Throws<MergeException>(() => RecipeFile.Parse($"{new string('k', 1000)}: 1", "r")).Message;

        Assert.InRange(message.Length, 1, 500);
    }

    [Theory]
    [InlineData("'")]
    [InlineData("x ")]
    [InlineData("\n\n ")]
    [InlineData("a: \"\\\n")]
    [InlineData("&a ")]
    [InlineData("%TAG ! x\n")]
    public void A_megabyte_of_anything_costs_what_a_megabyte_costs(string part) => ReadsOrRefuses(string.Concat(Enumerable.Repeat(part, (1 << 20) / part.Length)));

    [Fact]
    public void A_damaged_recipe_is_read_or_refused()
    {
        byte[] valid = Encoding.UTF8.GetBytes(Valid);
        const string Marks = "[]{}:,-&*!|>'\"%@`#?~\n\t \\0<u";
        Property.Holds(gen =>
        {
            List<byte> damaged = [.. valid];
            for (int n = gen.Random.Next(1, 5); n > 0; n--)
            {
                int at = gen.Random.Next(damaged.Count);
                switch (gen.Random.Next(5))
                {
                    case 0: damaged[at] = (byte)gen.Random.Next(256); break;
                    case 1: damaged[at] = (byte)Marks[gen.Random.Next(Marks.Length)]; break;
                    case 2: damaged.Insert(at, (byte)Marks[gen.Random.Next(Marks.Length)]); break;
                    case 3: damaged.RemoveRange(at, Math.Min(gen.Random.Next(1, 20), damaged.Count - at)); break;
                    default: damaged.InsertRange(at, damaged.GetRange(gen.Random.Next(at + 1), Math.Min(15, damaged.Count - at))); break;
                }
            }

            ReadsOrRefuses(Encoding.UTF8.GetString([.. damaged]));
        }, runs: 4000);
    }

    /// <summary>Work without end would make values without end: what is allocated must be in proportion to the text.</summary>
    private static void ReadsOrRefuses(string text)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Assert.NotEmpty(RecipeFile.Parse(text, "r"));
        }
        catch (MergeException e)
        {
            Assert.StartsWith("r:", e.Message);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (16 << 20) + 100L * text.Length);
    }

    private static void Refuses(string text, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<MergeException>(() => RecipeFile.Parse(text, "r")).Message);
}
