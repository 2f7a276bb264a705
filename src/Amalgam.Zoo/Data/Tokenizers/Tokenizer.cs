namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>Makes ids of texts, as a model was trained on them.</summary>
public abstract class Tokenizer
{
    private readonly AddedTokens _raw, _normalized;
    private readonly Func<string, string> _normalize;

    /// <param name="template">What stands around texts.</param>
    /// <param name="normalize">Gives a text the form that pieces are looked up in; null where it stays as it is.</param>
    /// <param name="added">Tokens that are found as they are written, before the text is taken apart.</param>
    private protected Tokenizer(TextTemplate template, Func<string, string>? normalize = null, IReadOnlyCollection<AddedToken>? added = null)
    {
        (Template, _normalize, added) = (template, normalize ?? (text => text), added ?? []);
        _raw = new(added.Where(t => !t.Normalized));
        _normalized = new(added.Where(t => t.Normalized).Select(t => t with { Text = _normalize(t.Text) }));
        LargestOwn = Math.Max(template.Largest, added.Select(t => t.Id).DefaultIfEmpty(0).Max());
    }

    /// <summary>Ids are below this.</summary>
    public abstract int Count { get; }

    /// <summary>What stands around texts, and what fills them up.</summary>
    public TextTemplate Template { get; }

    /// <summary>The ids of a text by itself, without what stands around it.</summary>
    public int[] Encode(string text) => [.. Ids(text)];

    /// <summary>The ids of texts as a classifier takes them; cut to a length at the end of the longer text.</summary>
    /// <param name="texts">One text or two.</param>
    /// <param name="length">Ids at most; no less than the template has of its own.</param>
    /// <returns>The ids, and for each its segment.</returns>
    public (int[] Ids, int[] Segments) Encode(IReadOnlyList<string> texts, int length) => Template.Fill([.. texts.Select(Ids)], length);

    /// <summary>The largest id of the template and the added tokens.</summary>
    private protected int LargestOwn { get; }

    /// <summary>Adds the ids of a part of a text, in that form, that holds no added token.</summary>
    private protected abstract void Add(string text, List<int> ids);

    private List<int> Ids(string text)
    {
        List<int> ids = [];
        _raw.Split(text, ids, part => _normalized.Split(_normalize(part), ids, plain => Add(plain, ids)));
        return ids;
    }
}
