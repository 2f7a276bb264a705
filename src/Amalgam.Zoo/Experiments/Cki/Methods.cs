using System.Collections.Immutable;
using Amalgam.Merging;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What tables call the methods.</summary>
internal static class Methods
{
    public const string A = "model A";
    public const string B = "model B";
    public const string Dynamic = "model B (dynamic)";
    public const string Pruning = "pruning";
    public const string Ensemble = "ensemble";
    public const string Averaging = "averaging";
    public const string ClosedForm = "CKI, closed form";
    public const string Spliced = "CKI, splice trained";
    public const string TrainedAll = "CKI, all trained";
    public const string TrainedOn = "model A trained on";
    public const string DynamicTrainedOn = "model B trained on";

    /// <summary>The splices that are both trained; the validation data choose one of them, and a row's steps are those of both.</summary>
    public static readonly ImmutableArray<CkiSplice> Splices = [CkiSplice.Soft, CkiSplice.Hard];

    /// <summary>A method over the matrices of a scope.</summary>
    public static string In(string method, Scope scope) => $"{method} ({scope.Name})";

    /// <summary>A method over all matrices or parameters.</summary>
    public static string InAll(string method) => $"{method} (all)";
}
