using System.Globalization;

namespace Amalgam.Zoo.Demo;

/// <summary>What terminal and page both say, in numbers taken from the results.</summary>
public static class DemoText
{
    /// <summary>What holds for every number.</summary>
    public const string Rules =
        "Parameters of methods were chosen by right answers on validation samples, which are no test samples; everything else is a default, and a weight is 1. Test samples decided nothing. "
        + "The ensemble runs both networks, at twice the cost, and takes the class with the highest sum of their scores (logits). A merged network costs what one of them costs.";

    /// <summary>What the columns of a pair's table are.</summary>
    public static string Columns(PairResult result) => result.Pair.Tasks.IsEmpty
        ? "Right answers among all classes, and mean cross-entropy."
        : "First the share of right answers among all classes, then for each half that of its samples when only its classes may be answered, then mean cross-entropy.";

    /// <summary>What a pair's table shows.</summary>
    public static string Finding(PairResult result)
    {
        MergeResult chosen = result.Chosen;
        NetworkScore before = result.BestParent, average = result.Average;
        int better = result.Merged.Count(m => m.Score.Joint > before.Joint);
        string count = better == 0 ? $"None of {result.Merged.Length} merges does" : $"{better} of {result.Merged.Length} merges {(better == 1 ? "does" : "do")}";
        string comparison = $"{count} better than the best network before merging ({before.Name}, {Percent(result, before.Joint)}). "
            + $"Validation samples chose {chosen.Merge.Label}: {Percent(result, chosen.Score.Joint)}; both networks at once, the ensemble, reach {Percent(result, result.Ensemble.Joint)}.";
        if (result.Pair.Base is not null) return comparison;
        string leftOut = result.LeftOut.IsEmpty ? "" : $" Methods that take differences from a common base ({string.Join(", ", result.LeftOut)}) sit this one out.";
        string fall = average.Joint >= before.Joint ? ""
            : $"The plain average falls to {Percent(result, average.Joint)}: weights that were trained apart do not belong together position by position, their units have to be matched first. ";
        string copy = chosen.Score.Joint > before.Joint ? "" : " A merge that does nearly as well as one of the two is nearly a copy of it.";
        return fall + comparison + copy + leftOut;
    }

    /// <summary>Command lines that work on what the demonstration left.</summary>
    /// <param name="made">What it made.</param>
    /// <param name="folder">Where it is.</param>
    public static IEnumerable<string> Commands(Demonstration made, string folder)
    {
        PairResult result = made.Pairs[0];
        Pair pair = result.Pair;
        string At(string path) => Quoted(Path.IsPathRooted(path) || folder == "." ? path : Path.Combine(folder, path));
        string Own(string path) => At(Path.Combine(pair.Name, path));
        string first = Own(pair.First), second = Own(pair.Second), mine = At("mine.safetensors");
        yield return $"amalgam eval {Own($"merged/{result.Chosen.Merge.Entry.Name}.onnx")} {Own("merged/linear.onnx")} {made.Eval.Data}{made.Eval.Tasks}";
        yield return pair.Base is null
            ? $"amalgam merge -m slerp:t=0.25 {first} {second} -o {mine}"
            : $"amalgam merge -m ties:density=0.3,lambda=1.2 {first} {second} -b {Own(pair.Base)} -o {mine}";
        yield return $"amalgam eval {mine} --model {made.Eval.Model} {made.Eval.Data}{made.Eval.Tasks}";
        yield return $"amalgam diff {first} {mine} --top 5";
    }

    /// <summary>A share in percent: to two digits after the point where there are only joint results, which lie close together, else to one.</summary>
    public static string Percent(PairResult result, double share) => share.ToString(FormatOf(result), CultureInfo.InvariantCulture);

    /// <summary>How <see cref="Percent"/> writes.</summary>
    public static string FormatOf(PairResult result) => result.Pair.Tasks.IsEmpty ? "0.00%" : "0.0%";

    private static string Quoted(string path) => path.Contains(' ') ? $"\"{path}\"" : path;
}
