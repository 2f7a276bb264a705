using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;

namespace Amalgam.Merging;

/// <summary>Carries out a plan: reads the models block by block, merges, and writes a checkpoint that appears when it is complete.</summary>
public static class Merger
{
    private const int MostWindowBlocks = 64;
    private const int MostModels = 1000;

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="recipe">The recipe's text, which goes into the output folder.</param>
    /// <param name="path">A folder, or a file whose ending names its format.</param>
    /// <param name="options">How to run.</param>
    /// <param name="progress">Told after every write.</param>
    /// <returns>What the user should know beyond the plan's notes.</returns>
    /// <exception cref="MergeException">An input is not finite, or a result does not fit; there is no output.</exception>
    /// <exception cref="IOException">The output cannot be written; what was there is unchanged.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; there is no output.</exception>
    public static ImmutableArray<string> Run(MergePlan plan, string recipe, string path, MergeOptions options, IProgress<MergeProgress>? progress = null)
    {
        CheckInputsApart(plan, path);
        long done = 0;
        var (parallel, window) = Fit(plan, options);
        MergeContext context = new(parallel, options.Seed, window, options.AllowNonFinite)
        {
            Written = bytes => progress?.Report(new(Interlocked.Add(ref done, bytes), plan.OutputBytes, plan.Recipe.Name ?? "")),
        };

        using CheckpointOutput output = CheckpointOutput.Create(
            path, [.. plan.Tensors.Select(t => t.Output)], Metadata, options.Output, plan.Fingerprint(recipe, options.Seed, options.Output.ShardBytes));
        if (output.IsCommitted) return [];
        try
        {
            // First, so that a configuration that cannot be read costs no merge.
            SideFiles.Write(plan, recipe, output);
            var surveys = Survey(plan, context);
            PlannedTensor[] left = [.. plan.Tensors.Where(t => !output.IsDone(t.Output.Name))];
            context.Written?.Invoke(plan.OutputBytes - left.Sum(t => t.Output.ByteCount));

            // Large tensors one after another, each with all threads; small ones side by side.
            foreach (PlannedTensor tensor in left.Where(IsLarge)) Merge(tensor, surveys, output, context);
            Parallel.ForEach(left.Where(t => !IsLarge(t)), parallel, tensor => Merge(tensor, surveys, output, context));
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions is [var first, ..])
        {
            ExceptionDispatchInfo.Throw(first);
        }

        output.Commit();
        return [.. context.NonFinites.Values.Order(StringComparer.Ordinal)];
    }

    private static readonly ImmutableDictionary<string, string> Metadata = ImmutableDictionary<string, string>.Empty.Add("format", "pt");

    private static bool IsLarge(PlannedTensor tensor) => tensor.Output.Shape.Count >= TensorMerge.LargeElements;

    private static void Merge(PlannedTensor tensor, Dictionary<object, object> surveys, CheckpointOutput output, MergeContext context)
    {
        string name = tensor.Output.Name;
        void Write(long first, ReadOnlySpan<byte> bytes) => output.Write(name, first, bytes);
        if (tensor.Method is null)
        {
            TensorCopy.Run(tensor.Inputs[0].Tensor, Write, context);
        }
        else
        {
            object? survey = tensor.Method.SurveyKey is { } key ? surveys[key] : null;
            tensor.Method.Merge(Stream(tensor, context, new TensorOutput(tensor.Output.DType, Write), survey));
        }

        output.MarkDone(name);
    }

    private static Dictionary<object, object> Survey(MergePlan plan, MergeContext context)
    {
        Dictionary<object, object> surveys = [];
        foreach (var group in plan.Tensors.Where(t => t.Method?.SurveyKey is not null).GroupBy(t => t.Method!.SurveyKey!))
            surveys.Add(group.Key, group.First().Method!.Survey([.. group.Select(t => Stream(t, context, null, null))]));
        return surveys;
    }

    private static TensorMerge Stream(PlannedTensor tensor, MergeContext context, TensorOutput? output, object? survey) => new(
        tensor.Output, tensor.Base?.Tensor, [.. tensor.Inputs.Select(i => i.Tensor)], Numbers(tensor.Inputs),
        tensor.Method!.Grain(tensor.Output.Shape), context, output, survey);

    /// <summary>A model that takes part twice, with different layers, counts as two.</summary>
    private static ImmutableArray<int> Numbers(ImmutableArray<PlannedInput> inputs) =>
        [.. inputs.Select((input, i) => input.Model.Number + inputs.Take(i).Count(before => before.Model == input.Model) * MostModels)];

    /// <summary>The number of threads, and of blocks that each reads at once, whose buffers fit in the memory.</summary>
    private static (ParallelOptions Parallel, int WindowBlocks) Fit(MergePlan plan, MergeOptions options)
    {
        int threads = options.Parallel.MaxDegreeOfParallelism is > 0 and var most ? most : Environment.ProcessorCount;
        var (fixedBytes, windowBytes, widest) = plan.Tensors.Where(t => t.Method is not null).Select(Buffers)
            .Aggregate((Fixed: 0L, Window: 0L, Tensor: default(PlannedTensor)), (a, b) => b.Fixed + b.Window > a.Fixed + a.Window ? (b.Fixed, b.Window, b.Tensor) : a);
        long one = fixedBytes + windowBytes;
        if (one > options.Memory)
        {
            throw new MergeException(
                $"'{widest!.Output.Name}' {widest.Output.Shape} needs {one >> 20} MiB of buffers with {plan.Recipe.Method}, since it works on whole rows; --memory allows {options.Memory >> 20} MiB");
        }

        if (one > 0) threads = (int)Math.Clamp(options.Memory / one, 1, threads);
        int window = windowBytes == 0 ? MostWindowBlocks : (int)Math.Clamp((options.Memory / threads - fixedBytes) / windowBytes, 1, MostWindowBlocks);
        return (new() { MaxDegreeOfParallelism = threads, CancellationToken = options.Parallel.CancellationToken }, window);
    }

    /// <summary>Bytes of a worker's buffers: of floats, and of stored elements for each block that is read at once.</summary>
    private static (long Fixed, long Window, PlannedTensor Tensor) Buffers(PlannedTensor tensor)
    {
        long elements = Math.Min(TensorMerge.BlockOf(tensor.Method!.Grain(tensor.Output.Shape)), Math.Max(1, tensor.Output.Shape.Count));
        int inputs = tensor.Inputs.Length + (tensor.Base is null ? 0 : 1);
        long stored = tensor.Inputs.Sum(i => i.Tensor.DType.Bits / 8) + (tensor.Base?.Tensor.DType.Bits / 8 ?? 0) + tensor.Output.DType.Bits / 8;
        return (elements * sizeof(float) * (inputs + 2), elements * stored, tensor);
    }

    private static void CheckInputsApart(MergePlan plan, string path)
    {
        string full = CheckpointOutput.FullPath(path);
        PlannedModel? inside = plan.Models.FirstOrDefault(m => m.Checkpoint.Files.Append(m.Checkpoint.Path).Select(Path.GetFullPath).Any(f => f == full || Path.GetDirectoryName(f) == full));
        if (inside is not null) throw new MergeException($"{path} is itself an input ({inside.Label}); write to another place");
    }
}
