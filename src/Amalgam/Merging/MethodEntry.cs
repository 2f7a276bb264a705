using System.Collections.Immutable;
using Amalgam.Checkpoints;

namespace Amalgam.Merging;

/// <summary>What a method does with the recipe's base model.</summary>
public enum BaseRole
{
    /// <summary>It is a model like the others: where it is not listed it takes part all the same, as the last one, unless a required parameter is missing for it.</summary>
    Model,

    /// <summary>It gives the tensors that are not merged, and takes part only where it is listed.</summary>
    Donor,

    /// <summary>It is the first of the models.</summary>
    First,

    /// <summary>Task vectors are taken from it where it is given.</summary>
    OptionalOrigin,

    /// <summary>Task vectors are taken from it; it must be given.</summary>
    Origin,
}

/// <summary>A merge method as the registry, recipes and help know it.</summary>
/// <param name="Name">Its name in recipes.</param>
/// <param name="Summary">What it does, one sentence.</param>
/// <param name="Use">When to use it, one sentence.</param>
/// <param name="Source">The paper or the tool that defines it.</param>
/// <param name="Base">What it does with the recipe's base model.</param>
/// <param name="Least">Fewest models, without the base where that is an origin.</param>
/// <param name="Most">Most models.</param>
/// <param name="Parameters">Its parameters, all of them.</param>
/// <param name="Create">Makes the method for one tensor; null says that the tensor is to be taken from the base as it is.</param>
public sealed record MethodEntry(
    string Name,
    string Summary,
    string Use,
    string Source,
    BaseRole Base,
    int Least,
    int Most,
    ImmutableArray<MethodParameter> Parameters,
    Func<MethodArguments, MergeMethod?> Create)
{
    /// <summary>Name patterns that every method takes: tensors that do not match are taken from the base (or from the first model).</summary>
    public static readonly ImmutableArray<MethodParameter> Common =
    [
        new("include", ParameterKind.Patterns, "Only tensors whose name matches are merged; the others are taken from the base, or from the first model"),
        new("exclude", ParameterKind.Patterns, "Tensors whose name matches are not merged but taken from the base, or from the first model"),
    ];

    /// <summary>Where embeddings differ in size, the base is cut too; otherwise the result keeps the base's shape.</summary>
    public bool CutsBase { get; init; }

    /// <summary>The word that says what happens to tensors of one axis; where it is given it goes before include, but not before exclude.</summary>
    public MethodParameter? VectorRule { get; init; }

    /// <summary>A recipe's section <c>train</c> has something to learn with this method.</summary>
    public bool Learns { get; init; }

    /// <summary>The method's own parameters and the common ones.</summary>
    public ImmutableArray<MethodParameter> AllParameters => [.. Parameters, .. Common];

    /// <summary>The number of models as people say it.</summary>
    public string Models => Least == Most ? $"{Least}" : Most == int.MaxValue ? $"{Least} or more" : $"{Least} to {Most}";
}

/// <summary>The values of a method's parameters for one tensor.</summary>
/// <param name="tensor">The merged tensor.</param>
/// <param name="models">Number of models that take part, without the base where that is an origin.</param>
/// <param name="included">The recipe's include patterns name this tensor.</param>
/// <param name="numbers">Value of a number or flag, for a model where it is one of each; null when it is not given and has no default.</param>
/// <param name="words">Value of a word; null when it is not given.</param>
public sealed class MethodArguments(TensorSpec tensor, int models, bool included, Func<string, int?, double?> numbers, Func<string, string?> words)
{
    /// <summary>The merged tensor.</summary>
    public TensorSpec Tensor => tensor;

    /// <summary>Number of models, without the base where that is an origin.</summary>
    public int Models => models;

    /// <summary>The recipe's include patterns name this tensor.</summary>
    public bool Included => included;

    /// <summary>A number that has a default or was given.</summary>
    public double Number(MethodParameter parameter) => numbers(parameter.Name, null)!.Value;

    /// <summary>A flag.</summary>
    public bool Flag(MethodParameter parameter) => Number(parameter) != 0;

    /// <summary>A word.</summary>
    public string Word(MethodParameter parameter) => WordGiven(parameter) ?? parameter.Words[0];

    /// <summary>A word, null when it is not given.</summary>
    public string? WordGiven(MethodParameter parameter) => words(parameter.Name);

    /// <summary>Every model's number.</summary>
    public ImmutableArray<double> Each(MethodParameter parameter) => [.. Enumerable.Range(0, models).Select(i => numbers(parameter.Name, i)!.Value)];

    /// <summary>One model's number, null when it is not given and has no default.</summary>
    public double? OneOf(MethodParameter parameter, int model) => numbers(parameter.Name, model);
}
