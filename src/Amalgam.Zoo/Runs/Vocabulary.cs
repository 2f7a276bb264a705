using System.Collections.Immutable;

namespace Amalgam.Zoo.Runs;

/// <summary>The words that a setting may be, with what each stands for.</summary>
/// <param name="All">Words and values, in the order in which help shows them.</param>
public sealed record Vocabulary<T>(params ImmutableArray<(string Word, T Value)> All)
{
    /// <summary>The words.</summary>
    public ImmutableArray<string> Words => [.. All.Select(entry => entry.Word)];

    /// <summary>What a word stands for, one of <see cref="Words"/>.</summary>
    public T this[string word] => All.First(entry => entry.Word == word).Value;

    /// <summary>The word for a value.</summary>
    public string Of(T value) => All.First(entry => Equals(entry.Value, value)).Word;
}
