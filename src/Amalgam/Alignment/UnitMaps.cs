namespace Amalgam.Alignment;

/// <summary>
/// Which units of several models belong together: for each class and model, the merged unit that each unit becomes part of. Where every merged unit has one unit of each
/// model this is a permutation of each model (alignment); where it has several of one model, units were zipped.
/// </summary>
/// <remarks>
/// A unit of a class with blocks is numbered block * size + unit, by its own model's blocks; what it becomes is a unit 0 .. size - 1 within the block that the outer classes send its block to.
/// As matrices (Stoica et al., ZipIt!, section 4): U[unit, merged] = 1, M = U / (members of the merged unit), over all models.
/// </remarks>
public sealed class UnitMaps
{
    private readonly int[][][] _to;
    private readonly int[]?[] _members;

    private UnitMaps(UnitGroups groups, int models, int[][][] to) => (Groups, Models, _to, _members) = (groups, models, to, new int[to.Length][]);

    /// <summary>The units.</summary>
    public UnitGroups Groups { get; }

    /// <summary>Number of models.</summary>
    public int Models { get; }

    /// <summary>Every unit belongs to those of the same place.</summary>
    public static UnitMaps Identity(UnitGroups groups, int models) =>
        new(groups, models, [.. groups.Classes.Select(units => Enumerable.Range(0, models).Select(_ => InPlace(units)).ToArray())]);

    /// <summary>What the units of a model become: of class.Units elements, each below class.Size.</summary>
    public ReadOnlySpan<int> To(UnitClass units, int model) => _to[units.Index][model];

    /// <summary>Says anew what the units of a class become.</summary>
    /// <param name="units">The class; not a pinned one.</param>
    /// <param name="to">Of each model, of class.Units elements below class.Size.</param>
    /// <exception cref="ArgumentException">
    /// The class is pinned, or a number is out of range, or a merged unit is left without members (of a class with blocks: whatever the outer classes' maps are), or the units cannot be zipped
    /// as others lie within them or they are <see cref="UnitClass.IsTied"/>, and are.
    /// </exception>
    public void Set(UnitClass units, IReadOnlyList<int[]> to)
    {
        if (units.Pinned is { } reason) throw new ArgumentException($"{units} is pinned: {reason}", nameof(units));
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Count, Models, nameof(to));
        foreach (int[] of in to)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(of.Length, units.Units, nameof(to));
            if (of.Any(unit => unit < 0 || unit >= units.Size)) throw new ArgumentException($"{units} has units 0 to {units.Size - 1}", nameof(to));
        }

        CheckMembers(units, to);
        _to[units.Index] = [.. to];
        foreach (UnitClass of in Groups.Classes) _members[of.Index] = null;
    }

    /// <summary>Whether every merged unit has a member, in classes with blocks by the maps of the outer ones as they are now.</summary>
    /// <returns>A class that has a merged unit without; null where none has.</returns>
    public UnitClass? Deserted() => Groups.Classes.FirstOrDefault(units => Members(units).Contains(0));

    private static void CheckMembers(UnitClass units, IReadOnlyList<int[]> to)
    {
        int[] members = new int[units.Size];
        foreach (int[] of in to)
        {
            foreach (int unit in of) members[unit]++;
        }

        // Each block of the merged class has each of its units, and the blocks of no model come together in one.
        if (Array.FindIndex(members, count => count < units.Blocks) is >= 0 and var deserted) throw new ArgumentException($"{units}: merged unit {deserted} is left without members", nameof(to));
        if (!units.IsTied && units.Inner.IsEmpty) return;
        foreach (int[] block in to.SelectMany(of => of.Chunk(units.Size)))
        {
            if (block.Distinct().Count() < block.Length) throw new ArgumentException($"{units} can be permuted, but not zipped: {(units.IsTied ? "one parameter both makes them and is summed over them" : "other units lie within them")}", nameof(to));
        }
    }

    /// <summary>Number of units of all models in each merged unit of a class, by merged block * size + merged unit.</summary>
    public ReadOnlySpan<int> Members(UnitClass units)
    {
        if (_members[units.Index] is { } known) return known;
        int[] members = new int[units.Units];
        for (int model = 0; model < Models; model++)
        {
            for (int unit = 0; unit < units.Units; unit++) members[Target(units, model, unit)]++;
        }

        return _members[units.Index] = members;
    }

    /// <summary>The merged unit, counted over all blocks, that a unit of a model, counted over all blocks, becomes.</summary>
    public int Target(UnitClass units, int model, int unit)
    {
        int to = _to[units.Index][model][unit];
        return units.Outer is null ? to : Target(units.Outer, model, unit / units.Size) * units.Size + to;
    }

    /// <summary>A copy to change.</summary>
    public UnitMaps Copy() => new(Groups, Models, [.. _to.Select(of => of.ToArray())]);

    /// <summary>Takes over what other maps say of one of their models.</summary>
    internal void Take(int model, UnitMaps from, int of)
    {
        foreach (UnitClass units in Groups.Classes)
        {
            _to[units.Index][model] = [.. from._to[units.Index][of]];
            _members[units.Index] = null;
        }
    }

    /// <summary>The maps of one model alone.</summary>
    public UnitMaps Of(int model) => new(Groups, 1, [.. _to.Select(of => new[] { of[model] })]);

    /// <summary>Whether every merged unit has exactly one unit of each model.</summary>
    public bool ArePermutations => Groups.Classes.All(units => Enumerable.Range(0, Models).All(model => IsPermutation(units, model)));

    /// <summary>Whether nothing moves.</summary>
    public bool AreIdentity => Groups.Classes.All(units => _to[units.Index].All(of => of.AsSpan().SequenceEqual(InPlace(units))));

    /// <summary>A permutation as it is written in files and papers: element i is the unit, counted over all blocks, that comes to place i.</summary>
    /// <exception cref="InvalidOperationException">The units are zipped.</exception>
    public int[] Permutation(UnitClass units, int model)
    {
        if (!IsPermutation(units, model)) throw new InvalidOperationException($"{units} is not permuted: its units are merged");
        int[] from = new int[units.Units];
        for (int unit = 0; unit < from.Length; unit++) from[Target(units, model, unit)] = unit;
        return from;
    }

    /// <summary>Sets a model's units by a permutation as <see cref="Permutation"/> gives it; outer classes must have been set before.</summary>
    /// <exception cref="ArgumentException">It is no permutation, or does not keep blocks together as the outer classes are permuted.</exception>
    public void SetPermutation(UnitClass units, int model, ReadOnlySpan<int> from)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(from.Length, units.Units, nameof(from));
        int[] to = new int[from.Length];
        Array.Fill(to, -1);
        for (int place = 0; place < from.Length; place++)
        {
            int unit = from[place];
            if (unit < 0 || unit >= to.Length || to[unit] >= 0) throw new ArgumentException($"{units}: not a permutation of 0 to {to.Length - 1}", nameof(from));
            int block = units.Outer is null ? 0 : Target(units.Outer, model, unit / units.Size);
            if (place / units.Size != block) throw new ArgumentException($"{units}: unit {unit} of block {unit / units.Size} cannot come to block {place / units.Size}, as that block comes to {block}", nameof(from));
            to[unit] = place % units.Size;
        }

        int[][] all = [.. _to[units.Index]];
        all[model] = to;
        Set(units, all);
    }

    /// <summary>The maps of permutations undone.</summary>
    /// <exception cref="InvalidOperationException">Units are zipped.</exception>
    public UnitMaps Inverse()
    {
        CheckPermutations();
        UnitMaps inverse = Copy();
        foreach (UnitClass units in Groups.Classes)
        {
            int[][] to = [.. Enumerable.Range(0, Models).Select(_ => new int[units.Units])];
            for (int model = 0; model < Models; model++)
            {
                for (int unit = 0; unit < units.Units; unit++) to[model][Target(units, model, unit)] = unit % units.Size;
            }

            inverse._to[units.Index] = to;
        }

        return inverse;
    }

    /// <summary>These maps, and then others of the same models on what they made: permutations only.</summary>
    /// <exception cref="InvalidOperationException">Units are zipped.</exception>
    public UnitMaps Then(UnitMaps next)
    {
        CheckPermutations();
        next.CheckPermutations();
        UnitMaps both = Copy();
        foreach (UnitClass units in Groups.Classes)
        {
            both._to[units.Index] = [.. Enumerable.Range(0, Models).Select(model =>
            {
                int[] to = new int[units.Units];
                for (int unit = 0; unit < to.Length; unit++) to[unit] = next._to[units.Index][model][Target(units, model, unit)];
                return to;
            })];
        }

        return both;
    }

    /// <summary>Random permutations of everything that may be permuted.</summary>
    /// <param name="groups">The units.</param>
    /// <param name="models">Number of models.</param>
    /// <param name="seed">Draws them.</param>
    public static UnitMaps Random(UnitGroups groups, int models, int seed)
    {
        Random random = new(seed);
        UnitMaps maps = Identity(groups, models);
        foreach (UnitClass units in groups.Classes.Where(units => units.Pinned is null))
        {
            for (int model = 0; model < models; model++)
            {
                int[] to = maps._to[units.Index][model];
                for (int block = 0; block < units.Blocks; block++) random.Shuffle(to.AsSpan(block * units.Size, units.Size));
            }
        }

        return maps;
    }

    private void CheckPermutations()
    {
        if (!ArePermutations) throw new InvalidOperationException("units are zipped, which cannot be undone or gone on with");
    }

    private bool IsPermutation(UnitClass units, int model)
    {
        bool[] taken = new bool[units.Units];
        for (int unit = 0; unit < taken.Length; unit++)
        {
            int target = Target(units, model, unit);
            if (taken[target]) return false;
            taken[target] = true;
        }

        return true;
    }

    private static int[] InPlace(UnitClass units) => [.. Enumerable.Range(0, units.Units).Select(unit => unit % units.Size)];
}
