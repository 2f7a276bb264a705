using System.Collections.Immutable;
using System.Text;
using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging;

/// <summary>All documents of a recipe, planned before the first runs; results of earlier documents are inputs of later ones.</summary>
public sealed class RecipeRun : IDisposable
{
    private const string Marker = ".amalgam-stages";
    private const string FingerprintEnding = ".fingerprint", AlignedEnding = ".aligned", BalancedEnding = ".balanced";

    private readonly RecipeOrder _order;
    private readonly string _folder;
    private readonly List<ModelSet> _models = [];
    private readonly List<BalancedModels?> _balanced = [];

    private RecipeRun(RecipeOrder order, string folder, string text) => (_order, _folder, Text) = (order, folder, text);

    /// <summary>The recipe's text.</summary>
    public string Text { get; }

    /// <summary>The plans, in the order in which they run; the last one makes the output.</summary>
    public ImmutableArray<MergePlan> Plans { get; private set; } = [];

    /// <summary>Bytes that are free on a disk.</summary>
    internal Func<DriveInfo, long> FreeSpaceOf { get; set; } = drive => drive.AvailableFreeSpace;

    /// <summary>Reads and plans a recipe file.</summary>
    /// <param name="path">The recipe.</param>
    /// <param name="adjust">What the command line says over a document, and whether that is the one that makes the output.</param>
    /// <param name="balance">Does what a section <c>balance</c> says: of a document and its models as they are, what becomes of them; null where nothing knows of networks, and such recipes are refused.</param>
    /// <exception cref="MergeException">It is not a recipe, or cannot be done.</exception>
    public static RecipeRun Read(string path, Func<Recipe, bool, Recipe>? adjust = null, Func<Recipe, ImmutableArray<PlannedModel>, BalancedModels>? balance = null) =>
        Parse(RecipeFile.ReadText(path), Path.GetDirectoryName(Path.GetFullPath(path))!, path, adjust, balance);

    /// <summary>Plans a recipe.</summary>
    /// <param name="text">The recipe's text.</param>
    /// <param name="folder">Relative paths are looked up in the current folder first, then here.</param>
    /// <param name="file">What messages call the recipe.</param>
    /// <param name="adjust">What the command line says over a document, and whether that is the one that makes the output.</param>
    /// <param name="balance">Does what a section <c>balance</c> says: of a document and its models as they are, what becomes of them; null where nothing knows of networks, and such recipes are refused.</param>
    /// <exception cref="MergeException">It is not a recipe, or cannot be done.</exception>
    public static RecipeRun Parse(string text, string folder, string file, Func<Recipe, bool, Recipe>? adjust = null, Func<Recipe, ImmutableArray<PlannedModel>, BalancedModels>? balance = null) =>
        Plan(RecipeFile.Parse(text, file), folder, text, adjust, balance);

    /// <summary>
    /// Checks what can be known of a run before it writes a byte, for all documents: that the output may be written and is no input, that the memory and the
    /// disk suffice, that the output's format can store the types. A run begins with this.
    /// </summary>
    /// <param name="path">Where the result goes.</param>
    /// <param name="options">How to run.</param>
    /// <param name="stages">Where results of earlier documents go, as for <see cref="Run"/>.</param>
    /// <exception cref="MergeException">An input would be overwritten, or the memory is too small.</exception>
    /// <exception cref="InvalidDataException">The output's format cannot store a tensor.</exception>
    /// <exception cref="IOException">The output cannot be written there, or there is not enough room.</exception>
    public void Check(string path, MergeOptions options, string? stages = null)
    {
        CheckpointOutput.CheckTarget(path, options.Output.Overwrite, options.Output.Resume);
        string folder = StagesOf(path, stages);
        List<string> targets = [path];
        if (HasStages) targets.AddRange(stages is null ? [folder] : StagesIn(folder));
        foreach (MergePlan plan in Plans)
        {
            foreach (string target in targets) Merger.CheckInputsApart(plan, target);
            Merger.Fit(plan, options);
        }

        if (_balanced[^1] is not { IsNetwork: true } || CheckpointFormat.ByExtension(path) is not Onnx) CheckFormat(Plans[^1], path);
        CheckSpace(path, folder);
    }

    /// <summary>Runs all documents.</summary>
    /// <param name="path">Where the result goes: a folder, or a file whose ending names its format.</param>
    /// <param name="options">How to run.</param>
    /// <param name="stages">Where results of earlier documents go and stay; null puts them beside the output and removes them.</param>
    /// <param name="progress">Told after every write.</param>
    /// <returns>What the user should know beyond the plans' notes.</returns>
    public ImmutableArray<string> Run(string path, MergeOptions options, string? stages = null, IProgress<MergeProgress>? progress = null)
    {
        string folder = StagesOf(path, stages), mark = Mark(options);
        if (stages is null && options.Output is { Resume: true, Overwrite: false } && WasFinished(folder, path, mark))
        {
            RemoveStages(folder);
            return [];
        }

        Check(path, options, stages);
        if (!HasStages) return Merger.Run(Plans[0], Text, path, options, progress);

        using FileStream taken = PrepareStages(folder, path, mark, keep: stages is not null || options.Output.Resume);
        Dictionary<string, Checkpoint> results = new(StringComparer.Ordinal);
        List<string> notes = [];
        try
        {
            foreach (var (number, recipe) in _order.Steps.Index())
            {
                using ModelSet models = new(_folder, results);
                MergePlan plan = _balanced[number] is null ? Planner.Plan(recipe, models) : Plans[number];
                ModelSet Opened(IReadOnlyDictionary<ModelReference, string> places) => new(_folder, results, places);
                ImmutableArray<string> MergeAs(MergePlan plan, ModelSet models, string target, AlignedModels? prepared) =>
                    recipe.AlignPosition is not null ? AlignedMerge.Run(plan, models, Opened, Text, target, AlignedIn(folder, recipe), options, progress)
                    : AlignedMerge.Merge(plan, prepared?.Reset, Text, target, BalancedIn(folder, recipe), options, progress);
                ImmutableArray<string> Merge(string target) => _balanced[number] is not { } balanced ? MergeAs(plan, models, target, null)
                    : BalancedMerge.Run(recipe, models, balanced, BalancedIn(folder, recipe), Opened, (made, forms, prepared) => MergeAs(made, forms, target, prepared));
                if (recipe == _order.Result)
                {
                    notes.AddRange(Merge(path));
                    continue;
                }

                string stage = Path.Combine(folder, recipe.Name!);
                notes.AddRange(RunStage(plan, stage, options, Merge));
                results.Add(recipe.Name!, Checkpoint.Open(stage));
            }

            return [.. notes];
        }
        finally
        {
            foreach (Checkpoint result in results.Values) result.Dispose();
            taken.Dispose();
            if (stages is null) RemoveStages(folder);
        }
    }

    public void Dispose()
    {
        foreach (ModelSet models in _models) models.Dispose();
    }

    private static RecipeRun Plan(ImmutableArray<Recipe> recipes, string folder, string text, Func<Recipe, bool, Recipe>? adjust, Func<Recipe, ImmutableArray<PlannedModel>, BalancedModels>? balance)
    {
        RecipeOrder order = RecipeOrder.Sort(recipes);
        ImmutableArray<Recipe> steps = [.. order.Steps.Select(r => adjust?.Invoke(r, r == order.Result) ?? r)];
        RecipeRun run = new(order with { Steps = steps, Result = steps[^1] }, folder, text);
        try
        {
            Dictionary<string, Checkpoint> planned = new(StringComparer.Ordinal);
            foreach (Recipe recipe in run._order.Steps)
            {
                if (recipe.Name is not null) CheckName(recipe);
                ModelSet models = new(folder, planned);
                run._models.Add(models);
                MergePlan plan;
                BalancedModels? balanced = null;
                if (recipe.BalancePosition is null) plan = Planner.Plan(recipe, models);
                else (plan, balanced) = BalancedMerge.Plan(recipe, models, balance, forms => run.Keep(new(folder, forms)));
                run.Plans = run.Plans.Add(plan);
                run._balanced.Add(balanced);
                if (recipe.Name is not { } name) continue;
                planned.Add(name, plan.AsCheckpoint(name));
            }

            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    private static string StagesOf(string path, string? stages) => Path.GetFullPath(stages ?? Path.TrimEndingDirectorySeparator(path) + ".stages");

    /// <summary>Whether there is something to keep until the result is made: results of documents, balanced or aligned models.</summary>
    private bool HasStages => Plans.Length > 1 || Plans[0].Recipe is { AlignPosition: not null } or { BalancePosition: not null };

    /// <summary>What is made in the folder of stages.</summary>
    private IEnumerable<string> StagesIn(string folder) =>
        [.. _order.Steps.Where(r => r != _order.Result).Select(r => Path.Combine(folder, r.Name!)), .. _order.Steps.Where(r => r.AlignPosition is not null).Select(r => AlignedIn(folder, r)),
            .. _order.Steps.Where(r => r.BalancePosition is not null).Select(r => BalancedIn(folder, r))];

    /// <summary>Where a document's aligned models go; the one without a name is the last.</summary>
    private static string AlignedIn(string folder, Recipe recipe) => Path.Combine(folder, recipe.Name + AlignedEnding);

    /// <summary>Where a document's balanced models go.</summary>
    private static string BalancedIn(string folder, Recipe recipe) => Path.Combine(folder, recipe.Name + BalancedEnding);

    /// <summary>Models that are closed when the run is.</summary>
    private ModelSet Keep(ModelSet models)
    {
        _models.Add(models);
        return models;
    }

    /// <summary>A document's name is the name of a folder beside others that a run makes.</summary>
    private static void CheckName(Recipe recipe)
    {
        string name = recipe.Name!;
        if (name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')) || name.StartsWith('.'))
            throw recipe.Position.Refuse($"the name {Nearest.Quote(name)} cannot be a folder's: use letters, digits, '-', '_' and '.', which is not the first");
        if (name.EndsWith(".partial", StringComparison.OrdinalIgnoreCase) || name.EndsWith(FingerprintEnding, StringComparison.OrdinalIgnoreCase) || name.EndsWith(AlignedEnding, StringComparison.OrdinalIgnoreCase) || name.EndsWith(BalancedEnding, StringComparison.OrdinalIgnoreCase) || !CheckpointOutput.IsFolder(name))
            throw recipe.Position.Refuse($"the name {Nearest.Quote(name)} has an ending that stands for something else; leave it away");
    }

    /// <summary>Refuses what the output's format cannot store.</summary>
    private static void CheckFormat(MergePlan plan, string path)
    {
        try
        {
            CheckpointFormat.ByExtension(path)?.CheckTensors(path, [.. plan.Tensors.Select(t => t.Output)], plan.Donor.Checkpoint.ModelFile);
        }
        catch (ArgumentException e)
        {
            string why = e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal).Replace(path + ": ", "", StringComparison.Ordinal);
            throw new InvalidDataException($"{path} cannot be written: {why}", e);
        }
    }

    /// <summary>Refuses what does not fit on the disks. What is there of an earlier run is gone on with or removed, so its room counts as free.</summary>
    private void CheckSpace(string path, string folder)
    {
        long last = Plans[^1].OutputBytes, before = Plans.Sum(p => p.OutputBytes) - last;
        before += Plans.Where(p => p.Recipe.BalancePosition is not null).Sum(p => p.OutputBytes + p.Models.Sum(m => m.Checkpoint.ByteCount));
        before += Plans.Where(p => p.Recipe.AlignPosition is not null).Sum(p => p.OutputBytes + p.Models.Sum(m => m.Checkpoint.ByteCount));
        long lastNeed = last - SizeOf(path + ".partial"), beforeNeed = HasStages ? before - SizeOf(folder) : 0;
        DriveInfo drive = DriveOf(path), drive2 = DriveOf(folder);
        if (drive.Name == drive2.Name) (lastNeed, beforeNeed) = (lastNeed + beforeNeed, 0);
        Check(drive, lastNeed, path);
        Check(drive2, beforeNeed, folder);

        void Check(DriveInfo drive, long need, string place)
        {
            if (FreeSpaceOf(drive) is var free && need > free) throw new IOException($"{place} needs {need:N0} bytes, with what is made on the way, and {free:N0} are free on its disk");
        }
    }

    private static long SizeOf(string folder) =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length) : 0;

    /// <summary>The disk that holds a path, or will: that of the innermost folder that exists.</summary>
    private static DriveInfo DriveOf(string path)
    {
        string place = Path.GetFullPath(path);
        while (!Directory.Exists(place)) place = Path.GetDirectoryName(place)!;
        string? mount = DriveInfo.GetDrives().Select(d => d.Name)
            .Where(m => place == m || place.StartsWith(m.EndsWith('/') ? m : m + '/', StringComparison.Ordinal)).MaxBy(m => m.Length);
        return new(mount ?? place);
    }

    /// <summary>Makes the result of an earlier document, unless an interrupted run has made it.</summary>
    private ImmutableArray<string> RunStage(MergePlan plan, string stage, MergeOptions options, Func<string, ImmutableArray<string>> merge)
    {
        string mark = stage + FingerprintEnding, fingerprint = plan.Fingerprint(Text, options.Seed, options.Output.ShardBytes);
        if (Directory.Exists(stage) && File.Exists(mark) && File.ReadAllText(mark) == fingerprint) return [];
        if (Directory.Exists(stage)) Directory.Delete(stage, recursive: true);
        var notes = merge(stage);
        File.WriteAllText(mark, fingerprint);
        return notes;
    }

    /// <summary>Makes the folder ready, and takes it until the result is disposed.</summary>
    private static FileStream PrepareStages(string folder, string path, string mark, bool keep)
    {
        string marker = Path.Combine(folder, Marker);
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(marker)))
            throw new IOException($"{folder} is in the way: it does not hold intermediate results; name another folder");
        Directory.CreateDirectory(folder);
        FileStream taken = ExclusiveFile.Open(marker, path);
        if (!keep) Clear(folder);
        taken.SetLength(0);
        taken.Write(Encoding.ASCII.GetBytes(mark));
        return taken;
    }

    /// <summary>What the marker of the folder says of this run.</summary>
    private string Mark(MergeOptions options) =>
        $"Intermediate results of amalgam merge.\n{string.Join('\n', Plans.Select(p => p.Fingerprint(Text, options.Seed, options.Output.ShardBytes)))}\n";

    /// <summary>
    /// An interrupted run had made its output, and only its folder is left to remove. Where nothing may be overwritten there was no output when that run began,
    /// so the one that is there now is its own.
    /// </summary>
    private static bool WasFinished(string folder, string path, string mark)
    {
        string marker = Path.Combine(folder, Marker);
        if (!File.Exists(marker) || Path.Exists(CheckpointOutput.FullPath(path) + ".partial") || !(File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))) return false;
        using FileStream taken = ExclusiveFile.Open(marker, path);
        using StreamReader reader = new(taken);
        return reader.ReadToEnd() == mark;
    }

    /// <summary>The marker goes last, so that an interruption leaves a folder that the next run knows.</summary>
    private static void RemoveStages(string folder)
    {
        Clear(folder);
        Directory.Delete(folder, recursive: true);
    }

    private static void Clear(string folder)
    {
        foreach (string stage in Directory.EnumerateDirectories(folder)) Directory.Delete(stage, recursive: true);
        foreach (string file in Directory.EnumerateFiles(folder).Where(f => Path.GetFileName(f) != Marker)) File.Delete(file);
    }
}
