namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>A token that is found in a text as it is written.</summary>
/// <param name="Text">The token.</param>
/// <param name="Id">Its id.</param>
/// <param name="Normalized">It is looked for in the normalised text, not in the raw one.</param>
/// <param name="Left">It takes the white space before it.</param>
/// <param name="Right">It takes the white space after it.</param>
internal sealed record AddedToken(string Text, int Id, bool Normalized = false, bool Left = false, bool Right = false);

/// <summary>Finds tokens in a text, the leftmost first and of those that begin alike the longest.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, AddedToken[]> _byFirst;

    public AddedTokens(IEnumerable<AddedToken> tokens) =>
        _byFirst = tokens.Where(t => t.Text.Length > 0).GroupBy(t => t.Text[0]).ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Text.Length).ToArray());

    /// <summary>Adds the ids of the tokens, and gives what stands between them on.</summary>
    public void Split(string text, List<int> ids, Action<string> plain)
    {
        int from = 0;
        for (int i = 0; _byFirst.Count > 0 && i < text.Length; i++)
        {
            if (Find(text, i) is not { } token) continue;
            int start = i, end = i + token.Text.Length;
            while (token.Left && start > from && char.IsWhiteSpace(text[start - 1])) start--;
            while (token.Right && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (start > from) plain(text[from..start]);
            ids.Add(token.Id);
            from = end;
            i = end - 1;
        }

        if (from < text.Length) plain(text[from..]);
    }

    private AddedToken? Find(string text, int at) =>
        _byFirst.TryGetValue(text[at], out AddedToken[]? tokens) ? Array.Find(tokens, t => string.CompareOrdinal(text, at, t.Text, 0, t.Text.Length) == 0) : null;
}
