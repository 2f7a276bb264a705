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
        long done = 0, found = 0;
        string stage = plan.Recipe.Name ?? "";
        var (parallel, window) = Fit(plan, options);
        MergeContext context = new(parallel, options.Seed, window, options.AllowNonFinite)
        {
            Written = bytes => progress?.Report(new(Interlocked.Add(ref done, bytes), plan.OutputBytes, stage, found)),
        };

        using CheckpointOutput output = CheckpointOutput.Create(
            path, [.. plan.Tensors.Select(t => t.Output)], MetadataOf(plan), options.Output, plan.Fingerprint(recipe, options.Seed, options.Output.ShardBytes), plan.Donor.Checkpoint.ModelFile);
        if (output.IsCommitted) return [];
        try
        {
            if (plan.Recipe.Train is not null) plan = WithLearned(plan, options);
            // First, so that a configuration that cannot be read costs no merge.
            SideFiles.Write(plan, recipe, output);
            if (plan.Tensors.Any(t => t.Method?.SurveyKey is not null)) progress?.Report(new(0, plan.OutputBytes, $"{stage} survey".TrimStart()));
            var surveys = Survey(plan, context);
            PlannedTensor[] left = [.. plan.Tensors.Where(t => !output.IsDone(t.Output.Name))];
            found = plan.OutputBytes - left.Sum(t => t.Output.ByteCount);
            context.Written?.Invoke(found);

            // Large tensors one after another, each with all threads; small ones side by side.
            foreach (PlannedTensor tensor in left.Where(IsLarge)) Merge(tensor, surveys, output, context);
            PlannedTensor[] small = [.. left.Where(t => !IsLarge(t))];
            context.ForEach(small.Length, i => Merge(small[i], surveys, output, context));
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions is [var first, ..])
        {
            ExceptionDispatchInfo.Throw(first);
        }

        output.Commit();
        return [.. context.Findings];
    }

    /// <summary>The plan with the values that its recipe's training found.</summary>
    internal static MergePlan WithLearned(MergePlan plan, MergeOptions options)
    {
        if (options.Learn is not { } learn) throw plan.Recipe.TrainPosition!.Value.Refuse("train: this program merges and does not train; amalgam merge does both");
        return With(plan, learn(plan));
    }

    /// <summary>The plan with tensors whose values are known.</summary>
    internal static MergePlan With(MergePlan plan, IReadOnlyDictionary<string, Tensor> values) => plan with
    {
        Tensors = [.. plan.Tensors.Select(t => !values.TryGetValue(t.Output.Name, out Tensor? value) ? t : value.Shape == t.Output.Shape
            ? t with { Method = Learned.With(value) }
            : throw new MergeException($"'{t.Output.Name}' {t.Output.Shape} was learned as {value.Shape}"))],
    };

    /// <summary>Amalgam's own notes, such as of which architecture the weights are, stay with what is merged where it has the donor's tensors: of others they would not be true.</summary>
    private static ImmutableDictionary<string, string> MetadataOf(MergePlan plan)
    {
        Checkpoint donor = plan.Donor.Checkpoint;
        bool isLikeDonor = plan.Tensors.Select(t => (t.Output.Name, t.Output.Shape)).ToHashSet().SetEquals(donor.Tensors.Select(t => (t.Name, t.Shape)));
        return donor.Metadata.Where(note => isLikeDonor && note.Key.StartsWith("amalgam.", StringComparison.Ordinal)).ToImmutableDictionary(StringComparer.Ordinal).SetItem("format", "pt");
    }

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
    /// <exception cref="MergeException">A tensor needs more than that, or an array that is longer than arrays can be.</exception>
    internal static (ParallelOptions Parallel, int WindowBlocks) Fit(MergePlan plan, MergeOptions options)
    {
        int threads = options.Parallel.MaxDegreeOfParallelism is > 0 and var most ? most : Environment.ProcessorCount;
        long fixedBytes = 0, windowBytes = 0, longest = 1;
        (long Bytes, PlannedTensor? Tensor) widest = (0, null);
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            // A worker's buffers grow to what each kind of them needs at most.
            var (own, window, block, array) = Buffers(tensor);
            (fixedBytes, windowBytes, longest) = (Math.Max(fixedBytes, own), Math.Max(windowBytes, window), Math.Max(longest, block));
            if (tensor.Method is null) continue;
            if (array > Array.MaxLength)
            {
                throw new MergeException(
                    $"'{tensor.Output.Name}' {tensor.Output.Shape} needs {array >> 20} MiB in one piece with {plan.Recipe.Method}, and there can be {Array.MaxLength >> 20}; leave it out with exclude, or use another method");
            }

            if (own + window > widest.Bytes) widest = (own + window, tensor);
        }

        long one = fixedBytes + windowBytes;
        if (one > options.Memory && widest.Tensor is { Output: { } output })
        {
            throw new MergeException(
                $"'{output.Name}' {output.Shape} needs {one >> 20} MiB of buffers with {plan.Recipe.Method}; --memory allows {options.Memory >> 20} MiB");
        }

        if (one > 0) threads = (int)Math.Clamp(options.Memory / one, 1, threads);
        long mostBlocks = Math.Clamp(Array.MaxLength / longest, 1, MostWindowBlocks);
        int blocks = windowBytes == 0 ? MostWindowBlocks : (int)Math.Clamp((options.Memory / threads - fixedBytes) / windowBytes, 1, mostBlocks);
        return (new() { MaxDegreeOfParallelism = threads, CancellationToken = options.Parallel.CancellationToken }, blocks);
    }

    /// <summary>Bytes of a worker's buffers: what there is once, what there is for each block that is read at once, of that the largest, and the largest array.</summary>
    private static (long Fixed, long Window, long Block, long Array) Buffers(PlannedTensor tensor)
    {
        Shape shape = tensor.Output.Shape;
        if (tensor.Method is not { } method)
        {
            long copied = tensor.Output.DType.BytesOf(TensorMerge.BlockElements);
            return (TensorMerge.BlockElements * sizeof(float), copied, copied, 0);
        }

        long elements = Math.Min(TensorMerge.BlockOf(method.Grain(shape)), Math.Max(1, shape.Count)), scratch = method.Scratch(shape, tensor.Inputs.Length);
        int[] widths = [.. tensor.Inputs.Append(tensor.Base).OfType<PlannedInput>().Select(i => i.Tensor.DType.Bits / 8), tensor.Output.DType.Bits / 8];
        long block = elements * widths.Max();
        return (elements * sizeof(float) * (widths.Length + 1) + scratch, elements * widths.Sum(), block, Math.Max(block, scratch));
    }

    /// <summary>Refuses to write where a model is read.</summary>
    internal static void CheckInputsApart(MergePlan plan, string path)
    {
        string target = RealPath(path);
        PlannedModel? inside = plan.Sources.FirstOrDefault(m => !m.Checkpoint.Storages.Any(s => s is PendingStorage)
            && m.Checkpoint.Files.Append(m.Checkpoint.Path).Select(RealPath).Any(f => f == target || f.StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal)));
        if (inside is not null) throw new MergeException($"{path} is itself an input ({inside.Label}); write to another place");
    }

    /// <summary>The full path without links.</summary>
    private static string RealPath(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent) return full;
        string real = Path.Combine(RealPath(parent), Path.GetFileName(full));
        return (Path.Exists(real) ? new FileInfo(real).ResolveLinkTarget(returnFinalTarget: true)?.FullName : null) ?? real;
    }
}
