using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>Decides how one tensor of the output comes about: merged by the method, or copied, and from which models.</summary>
internal sealed class TensorDecision
{
    private readonly Recipe _recipe;
    private readonly MethodEntry _entry;
    private readonly List<string> _notes;
    private readonly Dictionary<Setting, NamePattern[]> _patterns = new(ReferenceEqualityComparer.Instance);

    public TensorDecision(Recipe recipe, MethodEntry entry, List<string> notes) => (_recipe, _entry, _notes) = (recipe, entry, notes);

    /// <summary>Decides; null leaves the tensor out.</summary>
    /// <exception cref="MergeException">It cannot be merged.</exception>
    public PlannedTensor? Decide(OutputTensor output)
    {
        ResolvedSlice slice = output.Slice;
        var present = slice.Sources.Select(s => (Source: s, Tensor: output.Find(s))).ToArray();
        TensorEntry? origin = slice.Base is null ? null : output.Find(slice.Base);
        ParameterLookup lookup = new(_entry, slice.Outer, output.T);
        NamePattern[] include = Patterns(slice, "include");
        bool included = include.Any(p => p.Matches(output.Name));
        NamePattern[] exclude = Patterns(slice, "exclude");
        bool ruled = IsRuledVector(output, lookup, present), selected = include.Length == 0 || included || ruled;
        if (ruled && _recipe.Train is not null && include.Length + exclude.Length > 0) selected = IsBiasOfSelected(output, include, exclude);
        if (!selected || exclude.Any(p => p.Matches(output.Name))) return CopyUnselected(output);
        if (!CheckPresence(output, present, origin)) return null;

        ImmutableArray<PlannedInput> inputs = [.. present.Where(p => p.Tensor is not null).Select(p => new PlannedInput(p.Source.Model, p.Tensor!))];
        PlannedInput? baseInput = origin is null ? null : new(slice.Base!.Model, origin);
        PlannedInput[] all = [.. inputs, .. baseInput is null ? (PlannedInput[])[] : [baseInput]];
        if (all.Any(i => !i.Tensor.DType.IsFloat)) return Unmergeable(output, all);
        if (inputs.IsEmpty) return CopyFromDonor(output, "no other model has it");
        if (slice.Base is not null && baseInput is null)
        {
            return inputs.Length == 1 ? Copy(output, inputs[0], $"only {inputs[0].Model.Label} has it")
                : throw new MergeException($"'{output.Name}' is in {Labels(inputs)}, but not in the base {slice.Base.Model.Label}, so it has no task vectors; {WithoutBase(inputs)}");
        }

        if (inputs.Length < _entry.Least)
            return Copy(output, baseInput ?? inputs[0], $"{_entry.Name} needs {_entry.Least} models, and only {Labels(inputs)} {(inputs.Length == 1 ? "has" : "have")} it");

        Shape shape = CommonShape(output, inputs, baseInput);
        inputs = [.. inputs.Select(i => i with { Tensor = i.Tensor.Crop(shape) })];
        baseInput = baseInput is null ? null : baseInput with { Tensor = baseInput.Tensor.Crop(shape) };
        TensorSpec spec = new(output.Name, _recipe.OutDType ?? _recipe.DType ?? DefaultType(inputs, baseInput), shape);

        var own = present.Where(p => p.Tensor is not null).Select(p => (p.Source.Parameters, output.NameIn(p.Source), p.Source.Model.Label)).ToImmutableArray();
        MethodArguments arguments = lookup.Arguments(spec, included, own);
        MergeMethod? method = _entry.Create(arguments);
        if (method is null) return CopyFromDonor(output, $"{_entry.Name} leaves it to the base");
        bool isAverage = method is Linear && _entry.VectorRule is not null;
        if (_recipe.Train is not null && !isAverage) method = new Learned(method, TrainingRules.Word(_entry, arguments, Learned.PerParameter), TrainingRules.Word(_entry, arguments, Learned.StartParameter));
        if (method is Passthrough { Scale: 1 }) return Copy(output, inputs[0], _entry.Name);
        return new(spec, method, inputs, baseInput, $"{_entry.Name} {lookup.Used}".TrimEnd() + (method is Learned ? ", learned" : isAverage ? ", the models' mean" : ""));
    }

    /// <summary>A tensor that not all models have: some may be left out by a model, others only if the recipe says so.</summary>
    private bool CheckPresence(OutputTensor output, (SliceSource Source, TensorEntry? Tensor)[] present, TensorEntry? origin)
    {
        string[] missing = [.. present.Where(p => p.Tensor is null).Select(p => p.Source.Model.Label)];
        if (output.Slice.Base is { } baseModel && origin is null) missing = [.. missing, baseModel.Model.Label];
        if (missing.Length == 0) return true;
        if (_recipe.TensorIntersection) return false;
        if (_recipe.TensorUnion) return true;
        if (TensorNames.IsOptional(output.Name))
        {
            _notes.Add($"'{output.Name}' is not in {string.Join(", ", missing)}; it is merged from the models that have it");
            return true;
        }

        throw new MergeException(
            $"'{output.Name}' is not in {string.Join(", ", missing)}; to merge every tensor from the models that have it say tensor_union: true (--tensor-union), to leave such tensors out say tensor_intersection: true (--tensor-intersection)");
    }

    /// <summary>Integers, booleans and types that Amalgam does not compute with.</summary>
    private PlannedTensor Unmergeable(OutputTensor output, PlannedInput[] inputs)
    {
        PlannedInput donor = output.Find(output.Slice.Donor) is { } tensor ? new(output.Slice.Donor.Model, tensor) : inputs[0];
        if (_recipe.Integers == IntegerRule.Base) return Copy(output, donor, $"{donor.Tensor.DType} tensors are taken from {donor.Model.Label}");
        foreach (PlannedInput other in inputs)
        {
            if (other.Tensor.DType == donor.Tensor.DType && other.Tensor.Shape == donor.Tensor.Shape && HaveSameBytes(donor.Tensor, other.Tensor)) continue;
            throw new MergeException(
                $"'{output.Name}' is {donor.Tensor.DType}{donor.Tensor.Shape} in {donor.Model.Label} and {other.Tensor.DType}{other.Tensor.Shape} in {other.Model.Label}, with other values; tensors that are not floating-point are not merged: say integers: base (--integers base) to take them from {donor.Model.Label}");
        }

        return Copy(output, donor, inputs.Length > 1 ? "equal in all models" : "copied");
    }

    /// <summary>A tensor that include and exclude leave to the base; one that the base lacks is left out unless all tensors are wanted.</summary>
    private PlannedTensor? CopyUnselected(OutputTensor output)
    {
        if (_recipe.TensorUnion || output.Find(output.Slice.Donor) is not null) return CopyFromDonor(output, "not selected by include and exclude");
        _notes.Add($"'{output.Name}' is not selected by include and exclude, and not in {output.Slice.Donor.Model.Label}: the result does not have it");
        return null;
    }

    private PlannedTensor CopyFromDonor(OutputTensor output, string why)
    {
        SliceSource holder = output.Slice.All.Prepend(output.Slice.Donor).First(s => output.Find(s) is not null);
        return Copy(output, new(holder.Model, output.Find(holder)!), $"{why}: from {holder.Model.Label}");
    }

    private PlannedTensor Copy(OutputTensor output, PlannedInput input, string why)
    {
        DType stored = input.Tensor.DType, type = stored.IsFloat ? _recipe.OutDType ?? _recipe.DType ?? stored : stored;
        return new(new(output.Name, type, input.Tensor.Shape), type == stored ? null : new Passthrough(), [input], null, why);
    }

    /// <summary>
    /// The shape that all inputs have. Embeddings and language heads may differ in size: they are cut to the part that all have, which for most methods with a
    /// base must be the base's shape.
    /// </summary>
    private Shape CommonShape(OutputTensor output, ImmutableArray<PlannedInput> inputs, PlannedInput? baseInput)
    {
        PlannedInput[] all = [.. baseInput is null ? (PlannedInput[])[] : [baseInput], .. inputs];
        PlannedInput? other = all.FirstOrDefault(i => i.Tensor.Shape != all[0].Tensor.Shape);
        if (other is null) return all[0].Tensor.Shape;

        bool crops = all.All(i => i.Tensor.Shape.Rank == 2) && TensorNames.IsVocabulary(output.Name);
        Shape least = crops ? new(all.Min(i => i.Tensor.Shape[0]), all.Min(i => i.Tensor.Shape[1])) : default;
        if (!crops || (baseInput is not null && !_entry.CutsBase && baseInput.Tensor.Shape != least))
        {
            throw new MergeException(
                $"'{output.Name}' is {all[0].Tensor.Shape} in {all[0].Model.Label} and {other.Tensor.Shape} in {other.Model.Label}{(crops ? "; a base that is larger than its fine-tunes cannot be cut" : "")}; leave it to the base with exclude, or merge models of one architecture");
        }

        _notes.Add($"'{output.Name}' has {string.Join(", ", all.Select(i => $"{i.Tensor.Shape} in {i.Model.Label}"))}; the first {least[0]} rows and {least[1]} columns are merged, so check vocab_size");
        return least;
    }

    /// <summary>The base's type where the method has a base, also one that is merged as the first model; else the one that holds all inputs.</summary>
    private DType DefaultType(ImmutableArray<PlannedInput> inputs, PlannedInput? baseInput) =>
        baseInput?.Tensor.DType ?? (_entry.Base == BaseRole.First ? inputs[0].Tensor.DType : Promote(inputs));

    /// <summary>The type that holds all inputs: the widest; float32 for different ones of one width.</summary>
    private static DType Promote(ImmutableArray<PlannedInput> inputs)
    {
        DType[] types = [.. inputs.Select(i => i.Tensor.DType).Distinct().OrderByDescending(t => t.Bits)];
        return types.Length == 1 || types[0].Bits > Math.Max(16, types[1].Bits) ? types[0] : DType.F32;
    }

    private static bool HaveSameBytes(TensorEntry a, TensorEntry b)
    {
        if (ReferenceEquals(a, b) || a.Storage is PendingStorage || b.Storage is PendingStorage) return true;
        const int Chunk = 1 << 18;
        byte[] ofA = new byte[a.DType.BytesOf(Chunk)], ofB = new byte[ofA.Length];
        for (long first = 0; first < a.Shape.Count; first += Chunk)
        {
            int bytes = (int)a.DType.BytesOf(Math.Min(Chunk, a.Shape.Count - first));
            a.Read(first, ofA.AsSpan(0, bytes));
            b.Read(first, ofB.AsSpan(0, bytes));
            if (!ofA.AsSpan(0, bytes).SequenceEqual(ofB.AsSpan(0, bytes))) return false;
        }

        return true;
    }

    /// <summary>The patterns of the nearest level that gives them.</summary>
    private NamePattern[] Patterns(ResolvedSlice slice, string name)
    {
        if (slice.Outer.Select(block => block[name]).FirstOrDefault(setting => setting is not null) is not { } setting) return [];
        if (!_patterns.TryGetValue(setting, out NamePattern[]? patterns)) _patterns.Add(setting, patterns = [.. setting.Patterns.Select(p => NamePattern.Parse(p, plainIsGlob: true))]);
        return patterns;
    }

    /// <summary>A tensor of one axis for which the recipe gives the method's rule for vectors, which goes before include.</summary>
    private bool IsRuledVector(OutputTensor output, ParameterLookup lookup, (SliceSource Source, TensorEntry? Tensor)[] present) =>
        _entry.VectorRule is { } rule && lookup.IsGiven(rule.Name, output.Name)
        && present.Any(p => p.Tensor is not null) && present.All(p => p.Tensor is null || p.Tensor.Shape.Rank == 1);

    /// <summary>Whether a vector is the bias beside a matrix that the patterns select: where a network learns, only such go with what is spliced.</summary>
    private static bool IsBiasOfSelected(OutputTensor output, NamePattern[] include, NamePattern[] exclude)
    {
        const string Bias = "bias";
        if (!output.Name.EndsWith(Bias, StringComparison.Ordinal)) return false;
        string weight = output.Name[..^Bias.Length] + "weight";
        return (include.Length == 0 || include.Any(p => p.Matches(weight))) && !exclude.Any(p => p.Matches(weight))
            && output.Slice.Sources[0].Model.Checkpoint.TryFind(weight, out TensorEntry? matrix) && matrix.Shape.Rank > 1;
    }

    private string WithoutBase(ImmutableArray<PlannedInput> inputs) => _recipe.TensorUnion
        ? $"exclude takes it unmerged from {inputs[0].Model.Label}, tensor_intersection in place of tensor_union leaves such tensors out"
        : "leave it out with exclude";

    private static string Labels(IEnumerable<PlannedInput> inputs) => string.Join(", ", inputs.Select(i => i.Model.Label));
}
